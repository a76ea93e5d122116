// What an update is not told of: rules become stricter, and an object that was stored before must still be able to change
// in all else, lose a finalizer for one. Upstream works out options of each validation from the old object; here the
// answers are sorted afterwards, by a table, so that a rule need not know of the old object.
// Source: kubernetes pkg/api/pod/util.go (GetValidationOptionsFromPodSpecAndMeta), ValidationOptions of the single kinds in
// pkg/apis/*/validation and pkg/registry/*/*/strategy.go.

import type { FieldError } from '../field-error.ts';
import type { KindSpec } from '../kind.ts';

interface Ratchet {
  /** Of the errors at these fields … */
  readonly field: RegExp;
  /** … with these words: */
  readonly text?: RegExp;
  /**
   * `always`: none is told, the field cannot change. `same`: those are not told that the old object had, word for word, at
   * whatever index. `any`: none is told when the old object had one.
   */
  readonly unless: 'always' | 'same' | 'any';
}

/** Label values in selectors, which were not looked at once. */
const selectorValues: Ratchet = { field: /\.matchExpressions\[\d+\]\.values\[\d+\]$/, unless: 'any' };

const podRatchets: readonly Ratchet[] = [
  selectorValues,
  { field: /\.topologySpreadConstraints\[\d+\]\.labelSelector/, unless: 'any' },
  { field: /\.matchLabelKeys\[\d+\]$/, text: /exists in both/, unless: 'any' },
  { field: /\.projected\.path$/, text: /^Invalid value/, unless: 'any' },
  { field: /\.resources\./, text: /is not positive integer multiple of/, unless: 'any' },
  { field: /\[controller\.kubernetes\.io\/pod-deletion-cost\]$/, unless: 'any' },
  { field: /\.sysctls\[\d+\]\.name$/, text: /may not be specified when/, unless: 'any' },
];

const webhookRatchets: readonly Ratchet[] = [
  selectorValues,
  { field: /\.name$/, text: /^Duplicate value/, unless: 'any' },
  { field: /\.sideEffects$/, unless: 'any' },
  { field: /\.admissionReviewVersions$/, text: /must include at least one of/, unless: 'any' },
  { field: /\.matchConditions/, unless: 'same' },
];

/** By group and kind. */
const ratchets: Readonly<Record<string, readonly Ratchet[]>> = {
  '/Endpoints': [{ field: /^subsets/, unless: 'same' }],
  '/PersistentVolumeClaim': [
    selectorValues,
    { field: /^spec\.dataSource(Ref)?\.apiGroup$/, text: /^Invalid value/, unless: 'any' },
  ],
  '/Pod': podRatchets,
  '/PodTemplate': podRatchets,
  '/ReplicationController': podRatchets,
  '/Service': [
    { field: /^spec\.(clusterIPs|externalIPs|LoadBalancerSourceRanges)\[\d+\]$/, unless: 'same' },
    { field: /load-balancer-source-ranges\]$/, text: /CIDR/, unless: 'same' },
  ],
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookRatchets,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': [selectorValues],
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': [selectorValues],
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookRatchets,
  'apps/DaemonSet': podRatchets,
  'apps/Deployment': podRatchets,
  'apps/ReplicaSet': podRatchets,
  'apps/StatefulSet': [
    ...podRatchets,
    // Templates of claims never change; those of pods were not looked at before 1.34.
    { field: /^spec\.volumeClaimTemplates/, unless: 'always' },
    { field: /^spec\.template\.(?!spec\.(restartPolicy|activeDeadlineSeconds)$)/, unless: 'any' },
  ],
  'autoscaling/HorizontalPodAutoscaler': [
    { field: /^spec\.scaleTargetRef\.apiVersion$/, unless: 'same' },
    { field: /^spec\.minReplicas$/, text: /^Invalid value: 0/, unless: 'same' },
    { field: /\.describedObject\.apiVersion$/, unless: 'any' },
  ],
  'batch/CronJob': [
    ...podRatchets,
    { field: /^spec\.schedule$/, text: /cannot use TZ/, unless: 'any' },
    { field: /^spec\.timeZone$/, unless: 'same' },
  ],
  'batch/Job': [
    ...podRatchets,
    // The labels with a prefix came later than those without.
    { field: /^spec\.template\.metadata\.labels\[batch\.kubernetes\.io\//, unless: 'any' },
  ],
  'certificates.k8s.io/CertificateSigningRequest': [{ field: /^spec\.usages|^status\.conditions/, unless: 'any' }],
  'discovery.k8s.io/EndpointSlice': [{ field: /\.addresses\[\d+\]$/, unless: 'same' }],
  'networking.k8s.io/Ingress': [{ field: /\.secretName$/, unless: 'any' }],
  'networking.k8s.io/NetworkPolicy': [
    selectorValues,
    { field: /\.ipBlock\.(cidr|except\[\d+\])$/, text: /CIDR/, unless: 'same' },
  ],
  'policy/PodDisruptionBudget': [selectorValues],
  'rbac.authorization.k8s.io/ClusterRole': [
    selectorValues,
    { field: /^aggregationRule\.clusterRoleSelectors\[\d+\]$/, unless: 'any' },
  ],
};

/** What remains of `errors` for an update; `before` is asked, once, when there may be something to leave out. */
export function withoutOldErrors(
  { group, kind }: Pick<KindSpec, 'group' | 'kind'>,
  errors: readonly FieldError[],
  before: () => readonly FieldError[],
): readonly FieldError[] {
  if (errors.length === 0) return errors;
  const rows = ratchets[`${group}/${kind}`] ?? [];
  let old: readonly FieldError[] | undefined;
  const isOld = (row: Ratchet, error: FieldError): boolean => {
    if (!covers(row, error)) return false;
    if (row.unless === 'always') return true;
    old ??= before();
    return old.some((one) => covers(row, one) && (row.unless === 'any' || one.message === error.message));
  };
  return errors.filter((error) => !rows.some((row) => isOld(row, error)));
}

function covers({ field, text }: Ratchet, error: FieldError): boolean {
  return field.test(error.field) && (text === undefined || text.test(error.message));
}
