// What only pods of one operating system may say. Source: kubernetes pkg/apis/core/validation
// (validateWindowsSecurityContextOptions, validateWindowsHostProcessPod, validateOS, validateLinux, validateWindows).

import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container, PodSpec } from '../types.ts';
import { whyNotDnsSubdomain } from './names.ts';
import { invalidFor, oneOf } from './rules.ts';

type Options = NonNullable<NonNullable<PodSpec['securityContext']>['windowsOptions']>;

const systems = valuesOf('io.k8s.api.core.v1.PodOS', 'name');
const maxSpecKiB = 64;
const maxDomain = 256;
const maxUser = 104;
const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const domainName =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

export function validateWindowsOptions(field: string, options: Options | undefined): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  const errors =
    name === undefined ? [] : invalidFor(`${field}.gmsaCredentialSpecName`, name, whyNotDnsSubdomain(name));
  const at = `${field}.gmsaCredentialSpec`;
  if (spec === '') errors.push(invalid(at, spec, 'gmsaCredentialSpec cannot be an empty string'));
  else if (spec !== undefined && spec.length > maxSpecKiB * 1024) {
    errors.push(invalid(at, spec, `gmsaCredentialSpec size must be under ${maxSpecKiB} KiB`));
  }
  if (user !== undefined) errors.push(...invalidFor(`${field}.runAsUserName`, user, whyNotUserName(user)));
  return errors;
}

function whyNotUserName(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (/\p{Cc}/u.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const user = parts.at(-1) ?? '';
  const why: string[] = [];
  if (domain !== undefined) {
    if (domain.length >= maxDomain) why.push(`runAsUserName's Domain length must be under ${maxDomain} characters`);
    if (!netBios.test(domain) && !domainName.test(domain)) {
      why.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user === '') why.push("runAsUserName's User cannot be empty");
  else if (user.length > maxUser) {
    why.push(`runAsUserName's User length must not be longer than ${maxUser} characters`);
  }
  if (/^[. ]+$/.test(user)) why.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    why.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return why;
}

/** Every container of a pod, with its path, in upstream's order. */
export function* containersOf(field: string, spec: PodSpec): Generator<readonly [at: string, container: Container]> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) yield [`${field}.${list}[${index}]`, container];
  }
}

/** Processes of the host: all containers or none, and in the host's network. */
export function validateHostProcess(field: string, spec: PodSpec): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  let [all, some] = [0, 0];
  for (const [at, { securityContext }] of containersOf(field, spec)) {
    const own = securityContext?.windowsOptions?.hostProcess;
    all += 1;
    if (own ?? ofPod ?? false) some += 1;
    if (ofPod === undefined || own === undefined || ofPod === own) continue;
    const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
    errors.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, why));
  }
  if (some > 0 && some !== all) {
    const why = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalid(field, '', why));
  }
  if (some > 0 && spec.hostNetwork !== true) {
    const why = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(invalid(`${field}.hostNetwork`, false, why));
  }
  return errors;
}

/** Of upstream's two sentences about the name only the first has a field `name`. */
export function validateSystem(field: string, spec: PodSpec): FieldError[] {
  if (spec.os === undefined) return [];
  const { name } = spec.os;
  if (!name) return [required(`${field}.os.name`, 'cannot be empty')];
  const errors = oneOf(`${field}.os`, name, systems());
  if (errors.length > 0) return errors;
  return name === 'windows' ? withoutLinux(field, spec) : withoutWindows(field, spec);
}

function withoutWindows(field: string, spec: PodSpec): FieldError[] {
  const contexts = [[field, spec] as const, ...containersOf(field, spec)];
  return contexts
    .filter(([, { securityContext }]) => securityContext?.windowsOptions !== undefined)
    .map(([at]) => forbidden(`${at}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod'));
}

const podContext = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const podFields = ['hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'] as const;
const containerContext = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

function withoutLinux(field: string, spec: PodSpec): FieldError[] {
  const why = 'cannot be set for a windows pod';
  const context = spec.securityContext ?? {};
  const errors = podContext
    .filter((key) => context[key] !== undefined)
    .map((key) => forbidden(`${field}.securityContext.${key}`, why));
  for (const key of podFields) {
    const optional = key === 'hostUsers' || key === 'shareProcessNamespace';
    if (optional ? spec[key] !== undefined : spec[key] === true) errors.push(forbidden(`${field}.${key}`, why));
  }
  for (const [at, { securityContext = {} }] of containersOf(field, spec)) {
    for (const key of containerContext) {
      if (securityContext[key] !== undefined) errors.push(forbidden(`${at}.securityContext.${key}`, why));
    }
  }
  return errors;
}
