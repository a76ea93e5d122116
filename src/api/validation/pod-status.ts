// What the status of a pod may become. The spec is not asked again: reports of node agents are the most frequent writes
// there are, and a pod that was valid when it was made must go on being reported about.
// Source: kubernetes pkg/apis/core/validation (ValidatePodStatusUpdate).

import { isIPv6 } from 'node:net';
import { duplicate, type FieldError, forbidden, invalid } from '../field-error.ts';
import type { Pod, PodStatus } from '../types.ts';
import { whyNotDnsSubdomain, whyNotQualifiedName } from './names.ts';
import { annotationChanges } from './pod-update.ts';
import { each, immutable, inRange, invalidFor, validIp } from './rules.ts';

type Report = NonNullable<PodStatus['containerStatuses']>[number];

const maxInt32 = 2_147_483_647;
const systemConditions = ['PodScheduled', 'Ready', 'Initialized'];
const lists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

export function validatePodStatusUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const { status = {} } = pod;
  const { status: before = {} } = old;
  const errors = annotationChanges(pod, old);
  errors.push(
    ...each('metadata.conditions', status.conditions, ({ type = '' }, at) =>
      systemConditions.includes(type) ? [] : invalidFor(`${at}.Type`, type, whyNotQualifiedName(type)),
    ),
  );
  const { nominatedNodeName: nominated } = status;
  if (nominated && nominated !== before.nominatedNodeName) {
    errors.push(...invalidFor('status.nominatedNodeName', nominated, whyNotDnsSubdomain(nominated)));
  }
  if (status.qosClass !== before.qosClass) {
    errors.push(...immutable('status.qosClass', status.qosClass ?? '', before.qosClass));
  }
  for (const list of lists) errors.push(...validateEnded(list, status[list] ?? [], before[list] ?? [], old));
  errors.push(...validateAddresses(status));
  for (const list of lists) errors.push(...each(`status.${list}`, status[list], validateUser));
  return errors;
}

/** A container that has ended for good does not run again. */
function validateEnded(
  list: (typeof lists)[number],
  now: readonly Report[],
  before: readonly Report[],
  { spec }: Pod,
): FieldError[] {
  const restarts = list === 'ephemeralContainerStatuses' ? 'Never' : spec?.restartPolicy;
  if (restarts === 'Always') return [];
  return before.flatMap(({ name, state }, index) => {
    const { terminated } = state ?? {};
    if (terminated === undefined || (terminated.exitCode !== 0 && restarts === 'OnFailure')) return [];
    const own = spec?.initContainers?.find((container) => container.name === name)?.restartPolicy;
    if (list === 'initContainerStatuses' && own === 'Always') return [];
    return now
      .filter((report) => report.name === name && report.state?.terminated === undefined)
      .map(() => forbidden(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state'));
  });
}

function validateAddresses({ podIPs = [], hostIP = '', hostIPs = [] }: PodStatus): FieldError[] {
  const errors = validateFamilies('status.podIPs', podIPs);
  const first = hostIPs[0]?.ip ?? '';
  if (hostIPs.length > 0 && hostIP !== first) {
    errors.push(invalid('status.hostIPs[0].ip', first, 'must be equal to `hostIP`'));
  }
  errors.push(...validateFamilies('status.hostIPs', hostIPs));
  return errors;
}

function validateFamilies(field: string, addresses: readonly { readonly ip?: string }[]): FieldError[] {
  const errors = each(field, addresses, ({ ip = '' }, at) => validIp(at, ip));
  if (addresses.length < 2) return errors;
  const [a = '', b = ''] = addresses.map(({ ip }) => ip);
  if (addresses.length > 2 || isIPv6(a) === isIPv6(b)) {
    errors.push(invalid(field, addresses, 'may specify no more than one IP for each IP family'));
  }
  const seen = new Set<string | undefined>();
  for (const [index, address] of addresses.entries()) {
    if (seen.has(address.ip)) errors.push(duplicate(`${field}[${index}]`, address));
    seen.add(address.ip);
  }
  return errors;
}

function validateUser({ user }: Report, field: string): FieldError[] {
  const linux = user?.linux;
  if (linux === undefined) return [];
  const { uid, gid, supplementalGroups } = linux;
  return [
    ...inRange(`${field}.linux.uid`, uid, 0, maxInt32),
    ...inRange(`${field}.linux.gid`, gid, 0, maxInt32),
    ...each(`${field}.linux.supplementalGroups`, supplementalGroups, (group, at) => inRange(at, group, 0, maxInt32)),
  ];
}
