// The spec of a pod, in a Pod or in a template, in upstream's order of answers. Each part stands in a file of its own; parts
// that are not there cost nothing, for nearly every write of a workload passes here.
// Source: kubernetes pkg/apis/core/validation (ValidatePodSpec).

import { type FieldError, forbidden, invalid, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PodSpec, Volume } from '../types.ts';
import { validateAffinity, validateSpread } from './affinity.ts';
import { validateContainers } from './container.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import {
  validateDns,
  validateHostAliases,
  validateReadinessGates,
  validateResourceClaims,
  validateSchedulingGates,
  validateToleration,
} from './pod-parts.ts';
import { validateContainerResources, validatePodResources } from './resources.ts';
import { each, inRange, invalidFor, requireOneOf, strictlyOneOf, validLabels } from './rules.ts';
import { validateHostUsers, validatePodSecurity } from './security.ts';
import { type Owner, validateVolumes } from './volumes.ts';
import { validateHostProcess, validateSystem } from './windows.ts';

const maxInt32 = 2_147_483_647;
const core = 'io.k8s.api.core.v1';
const restartPolicies = valuesOf(`${core}.PodSpec`, 'restartPolicy');
const dnsPolicies = valuesOf(`${core}.PodSpec`, 'dnsPolicy');
const preemptionPolicies = valuesOf(`${core}.PodSpec`, 'preemptionPolicy');
const noSpec: PodSpec = Object.freeze({ containers: [] });

/**
 * @param claims names of volumes that every pod gets beside those of the spec (StatefulSet).
 * @param owner the metadata of the pod itself; a template has none.
 */
export function validatePodSpec(
  field: string,
  spec: PodSpec = noSpec,
  claims: readonly string[] = [],
  owner?: Owner,
): FieldError[] {
  const { resourceClaims, terminationGracePeriodSeconds: grace } = spec;
  const errors: FieldError[] = [];
  const volumes: Map<string, Volume | undefined> = validateVolumes(
    `${field}.volumes`,
    spec.volumes ?? [],
    owner,
    errors,
  );
  for (const name of claims) volumes.set(name, undefined);
  errors.push(...validateResourceClaims(`${field}.resourceClaims`, resourceClaims));
  const place = {
    volumes,
    claims: resourceClaims?.map(({ name }) => name) ?? [],
    restarts: spec.restartPolicy,
    hostUsers: spec.hostUsers !== false,
    grace,
  };
  errors.push(...validateContainers(field, spec, place), ...validatePodResources(`${field}.resources`, spec));
  if (spec.hostNetwork === true) errors.push(...validateHostPorts(field, spec, owner !== undefined));
  if (spec !== noSpec) {
    errors.push(
      ...requireOneOf(`${field}.restartPolicy`, spec.restartPolicy, restartPolicies()),
      ...requireOneOf(`${field}.dnsPolicy`, spec.dnsPolicy, dnsPolicies()),
    );
  }
  errors.push(
    ...validLabels(`${field}.nodeSelector`, spec.nodeSelector),
    ...validatePodSecurity(`${field}.securityContext`, spec),
    ...validateAffinity(`${field}.affinity`, spec.affinity),
    ...validateDns(`${field}.dnsConfig`, spec),
    ...validateReadinessGates(`${field}.readinessGates`, spec.readinessGates),
    ...validateSchedulingGates(`${field}.schedulingGates`, spec.schedulingGates),
    ...validateSpread(`${field}.topologySpreadConstraints`, spec.topologySpreadConstraints),
    ...validateHostProcess(field, spec),
    ...validateHostUsers(field, spec),
  );
  errors.push(...validateNames(field, spec));
  return errors;
}

/** In the network of the node a container's port is the node's; a template may leave that to the pod's defaults. */
function validateHostPorts(field: string, { containers = [] }: PodSpec, isPod: boolean): FieldError[] {
  return containers.flatMap(({ ports }, index) =>
    each(`${field}.containers[${index}].ports`, ports, ({ hostPort = 0, containerPort = 0 }, at) =>
      hostPort === containerPort || (hostPort === 0 && !isPod)
        ? []
        : [invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')],
    ),
  );
}

/** What stands at the end of upstream's list: names, and a few lists of their own. */
function validateNames(field: string, spec: PodSpec): FieldError[] {
  const { preemptionPolicy, overhead } = spec;
  const errors: FieldError[] = [];
  nameOf(errors, field, spec, 'serviceAccountName', whyNotDnsSubdomain);
  nameOf(errors, field, spec, 'nodeName', whyNotDnsSubdomain);
  errors.push(...inRange(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, maxInt32));
  nameOf(errors, field, spec, 'hostname', whyNotDnsLabel);
  nameOf(errors, field, spec, 'subdomain', whyNotDnsLabel);
  if (spec.hostnameOverride !== undefined) errors.push(...validateOverride(field, spec, spec.hostnameOverride));
  errors.push(
    ...each(`${field}.tolerations`, spec.tolerations, (one, at) => validateToleration(at, one)),
    ...validateHostAliases(`${field}.hostAliases`, spec.hostAliases),
  );
  nameOf(errors, field, spec, 'priorityClassName', whyNotDnsSubdomain);
  const runtime = spec.runtimeClassName;
  if (runtime !== undefined)
    errors.push(...invalidFor(`${field}.runtimeClassName`, runtime, whyNotDnsSubdomain(runtime)));
  if (preemptionPolicy === '') errors.push(required(`${field}.preemptionPolicy`));
  else errors.push(...strictlyOneOf(`${field}.preemptionPolicy`, preemptionPolicy, preemptionPolicies()));
  if (overhead !== undefined) errors.push(...validateContainerResources(`${field}.overhead`, { limits: overhead }, []));
  errors.push(...validateSystem(field, spec));
  return errors;
}

const maxHostname = 64;

/** What a pod is called inside of it; only where nothing else decides that. */
function validateOverride(field: string, spec: PodSpec, name: string): FieldError[] {
  const at = `${field}.hostnameOverride`;
  const errors = invalidFor(at, name, whyNotDnsSubdomain(name));
  if (name.length > maxHostname) errors.push(tooLong(at, maxHostname));
  for (const other of ['hostNetwork', 'setHostnameAsFQDN'] as const) {
    const why = 'may not be true when `hostnameOverride` is set';
    if (spec[other] === true) errors.push(forbidden(`${field}.${other}`, why));
  }
  return errors;
}

function nameOf(
  errors: FieldError[],
  field: string,
  spec: PodSpec,
  key: 'serviceAccountName' | 'nodeName' | 'hostname' | 'subdomain' | 'priorityClassName',
  whyNot: (name: string) => readonly string[],
): void {
  const name = spec[key];
  if (name) errors.push(...invalidFor(`${field}.${key}`, name, whyNot(name)));
}
