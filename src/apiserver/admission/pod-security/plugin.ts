// PodSecurity: the labels of a namespace say which level its pods must have (enforce), which one is written to the audit log
// and which one clients are warned about. Workloads with a pod template are warned about and never refused: their pods are.
// Versions in the labels are read and checked; what is enforced is always the newest form of a level.
// Source: Kubernetes documentation, "Pod Security Admission".

import { type KubeObject, kinds, type Namespace, type ObjectMeta, type Pod, type PodSpec } from '../../../api/index.ts';
import { type AdmissionPlugin, type AdmissionRequest, ApiError, type ObjectReader } from '../../contracts.ts';
import { isPod, refuse } from '../refuse.ts';
import { baseline } from './baseline.ts';
import type { Violation } from './check.ts';
import { restricted } from './restricted.ts';

const prefix = 'pod-security.kubernetes.io/';
const levels = ['privileged', 'baseline', 'restricted'] as const;
type Level = (typeof levels)[number];
type Mode = 'enforce' | 'audit' | 'warn';

interface Policy {
  readonly level: Level;
  /** `restricted:latest` */
  readonly text: string;
}

const checks = { privileged: [], baseline, restricted } as const;
const podSubresources = new Set(['', 'ephemeralcontainers']);
/** So many pods of a namespace are looked at when its level rises. */
const existingMax = 3000;

export function podSecurity(reader: ObjectReader): AdmissionPlugin {
  const policyOf = (namespace: string | undefined, mode: Mode): Policy | undefined => {
    const found = reader.get<Namespace>(kinds.namespace, undefined, namespace ?? '');
    return policyIn(found?.metadata?.labels, mode);
  };

  const judge = (request: AdmissionRequest, { spec, metadata = {} }: PodParts, refusable: boolean): void => {
    const { namespace } = request;
    const told = (mode: Mode): { readonly policy: Policy; readonly why: string } | undefined => {
      const policy = policyOf(namespace, mode);
      const violations = policy === undefined ? [] : violationsOf(policy.level, spec, metadata);
      if (policy === undefined || violations.length === 0) return undefined;
      return { policy, why: `violate PodSecurity "${policy.text}": ${detailed(violations)}` };
    };
    const audited = told('audit');
    if (audited !== undefined) request.annotate?.(`${prefix}audit-violations`, `would ${audited.why}`);
    const enforced = refusable ? told('enforce') : undefined;
    if (enforced !== undefined) throw refuse(request, enforced.why.replace('violate', 'violates'));
    const warned = told('warn');
    if (warned !== undefined) request.warn?.(`would ${warned.why}`);
  };

  return {
    name: 'PodSecurity',
    validate(request) {
      const { kind, operation, object, oldObject } = request;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      if (kind.group === '' && kind.plural === 'namespaces') return judgeNamespace(request, reader);
      if (!kind.namespaced || object === undefined) return;
      const pod = isPodPart(request) ? (object as Pod) : undefined;
      if (pod === undefined && (request.subresource !== '' || !hasTemplate(request))) return;
      if (!isLabelled(reader, request.namespace)) return;
      if (pod?.spec !== undefined) {
        if (operation === 'UPDATE' && !isSignificant(request, pod, oldObject as Pod | undefined)) return;
        return judge(request, { spec: pod.spec, metadata: pod.metadata }, true);
      }
      const template = templateOf(object);
      if (template?.spec !== undefined) judge(request, { spec: template.spec, metadata: template.metadata }, false);
    },
  };
}

interface PodParts {
  readonly spec: PodSpec;
  readonly metadata: ObjectMeta | undefined;
}

interface Template {
  readonly metadata?: ObjectMeta;
  readonly spec?: PodSpec;
}

function violationsOf(level: Level, spec: PodSpec, metadata: ObjectMeta): readonly Violation[] {
  return checks[level].flatMap((check) => check(spec, metadata) ?? []);
}

function detailed(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
}

function policyIn(labels: Readonly<Record<string, string>> | undefined, mode: Mode): Policy | undefined {
  const label = labels?.[`${prefix}${mode}`];
  const level = levels.find((one) => one === label);
  // A label that is no level is refused when it is written; if it is there all the same, nothing is let through.
  if (label === undefined || level === 'privileged') return undefined;
  const version = labels?.[`${prefix}${mode}-version`] ?? 'latest';
  return { level: level ?? 'restricted', text: `${level ?? 'restricted'}:${version}` };
}

function isLabelled(reader: ObjectReader, namespace: string | undefined): boolean {
  const labels = reader.get<Namespace>(kinds.namespace, undefined, namespace ?? '')?.metadata?.labels ?? {};
  return (['enforce', 'audit', 'warn'] as const).some((mode) => labels[`${prefix}${mode}`] !== undefined);
}

function isPodPart(request: AdmissionRequest): boolean {
  return isPod({ ...request, subresource: '' }) && podSubresources.has(request.subresource);
}

/** Of a change only images, containers and profiles in annotations matter. */
function isSignificant({ subresource }: AdmissionRequest, pod: Pod, old: Pod | undefined): boolean {
  if (subresource === 'ephemeralcontainers' || old === undefined) return true;
  const signature = ({ metadata, spec }: Pod): string => {
    const annotated = Object.entries(metadata?.annotations ?? {}).filter(([key]) => /seccomp|apparmor/.test(key));
    const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    return JSON.stringify([annotated, all.map(({ image }) => image)]);
  };
  return signature(pod) !== signature(old);
}

const templated = new Set([
  'cronjobs',
  'daemonsets',
  'deployments',
  'jobs',
  'podtemplates',
  'replicasets',
  'replicationcontrollers',
  'statefulsets',
]);

function hasTemplate({ kind }: AdmissionRequest): boolean {
  return templated.has(kind.plural) && (kind.group === '' || kind.group === 'apps' || kind.group === 'batch');
}

function templateOf(object: KubeObject): Template | undefined {
  const { template, spec } = object as {
    readonly template?: Template;
    readonly spec?: {
      readonly template?: Template;
      readonly jobTemplate?: { readonly spec?: { readonly template?: Template } };
    };
  };
  return template ?? spec?.template ?? spec?.jobTemplate?.spec?.template;
}

/** Labels that say nothing sensible are refused; a level that rises tells what it would refuse. */
function judgeNamespace(request: AdmissionRequest, reader: ObjectReader): void {
  const { object, oldObject, subresource } = request;
  if (object === undefined || subresource !== '') return;
  const { labels = {}, name = '' } = object.metadata ?? {};
  const before = oldObject?.metadata?.labels ?? {};
  checkLabels(name, labels, before);
  const policy = policyIn(labels, 'enforce');
  const unchanged = labels[`${prefix}enforce`] === before[`${prefix}enforce`];
  if (request.operation !== 'UPDATE' || policy === undefined || unchanged) return;
  const pods = reader.list<Pod>(kinds.pod, name).slice(0, existingMax);
  const found = pods.flatMap(({ spec, metadata = {} }) => {
    const violations = spec === undefined ? [] : violationsOf(policy.level, spec, metadata);
    const reasons = violations.map(({ reason }) => reason).join(', ');
    return reasons === '' ? [] : [{ name: metadata.name ?? '', reasons }];
  });
  if (found.length === 0) return;
  request.warn?.(`existing pods in namespace "${name}" violate the new PodSecurity enforce level "${policy.text}"`);
  const byReasons = Map.groupBy(found, ({ reasons }) => reasons);
  for (const [reasons, [first, ...others]] of byReasons) {
    const more = others.length === 0 ? '' : ` (and ${others.length} other pod${others.length === 1 ? '' : 's'})`;
    request.warn?.(`${first?.name ?? ''}${more}: ${reasons}`);
  }
}

function checkLabels(
  name: string,
  labels: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): void {
  for (const mode of ['enforce', 'audit', 'warn']) {
    const [level, version] = [`${prefix}${mode}`, `${prefix}${mode}-version`];
    const wrong = [
      {
        key: level,
        ok: levels.some((one) => one === labels[level]),
        rule: 'must be one of privileged, baseline, restricted',
      },
      {
        key: version,
        ok: /^(latest|v1\.(0|[1-9]\d*))$/.test(labels[version] ?? ''),
        rule: 'must be "latest" or "v1.x"',
      },
    ].find(({ key, ok }) => labels[key] !== undefined && labels[key] !== before[key] && !ok);
    if (wrong === undefined) continue;
    const field = `metadata.labels[${wrong.key}]`;
    const message = `Invalid value: ${JSON.stringify(labels[wrong.key])}: ${wrong.rule}`;
    throw new ApiError('Invalid', `Namespace "${name}" is invalid: ${field}: ${message}`, {
      details: { name, kind: 'Namespace', causes: [{ reason: 'FieldValueInvalid', message, field }] },
    });
  }
}
