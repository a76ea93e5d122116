// What a pod says beside containers and volumes: its network identity, security, readiness, scheduling extras.
// Source: kubernetes pkg/apis/core/validation (ValidatePodSpec).

import { isIP } from 'node:net';
import { duplicate, type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PodSpec } from '../types.ts';
import { validateAffinity, validateSpread } from './affinity.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotQualifiedName } from './names.ts';
import { each, inRange, invalidFor, oneOf, requireText, validIp } from './rules.ts';

type SecurityContext = NonNullable<PodSpec['securityContext']>;

const core = 'io.k8s.api.core.v1';
const preemptionPolicies = valuesOf(`${core}.PodSpec`, 'preemptionPolicy');
const systems = valuesOf(`${core}.PodOS`, 'name');
const groupChanges = valuesOf(`${core}.PodSecurityContext`, 'fsGroupChangePolicy');
const groupPolicies = valuesOf(`${core}.PodSecurityContext`, 'supplementalGroupsPolicy');
const labelChanges = valuesOf(`${core}.PodSecurityContext`, 'seLinuxChangePolicy');
const profiles = {
  seccompProfile: valuesOf(`${core}.SeccompProfile`, 'type'),
  appArmorProfile: valuesOf(`${core}.AppArmorProfile`, 'type'),
};

const maxInt32 = 2_147_483_647;
const maxNameservers = 3;
const maxSearches = 32;
const maxSearchBytes = 2048;

export function validatePodParts(field: string, spec: PodSpec): FieldError[] {
  return [
    ...oneOf(`${field}.preemptionPolicy`, spec.preemptionPolicy, preemptionPolicies()),
    ...validateAffinity(`${field}.affinity`, spec.affinity),
    ...validateSpread(`${field}.topologySpreadConstraints`, spec.topologySpreadConstraints),
    ...each(`${field}.hostAliases`, spec.hostAliases, ({ ip, hostnames }, at) => [
      ...validIp(`${at}.ip`, ip ?? ''),
      ...each(`${at}.hostnames`, hostnames, (name) => invalidFor(`${at}.hostnames`, name, whyNotDnsSubdomain(name))),
    ]),
    ...validateDns(`${field}.dnsConfig`, spec.dnsConfig),
    ...each(`${field}.readinessGates`, spec.readinessGates, ({ conditionType = '' }, at) =>
      invalidFor(`${at}.conditionType`, conditionType, whyNotQualifiedName(conditionType)),
    ),
    ...validateGates(`${field}.schedulingGates`, spec),
    ...(spec.os === undefined ? [] : validateSystem(`${field}.os`, spec.os.name)),
    ...validateSecurity(`${field}.securityContext`, spec.securityContext, spec),
    ...validateClaims(`${field}.resourceClaims`, spec.resourceClaims),
  ];
}

/** Of upstream's two sentences only the first names the field `name`. */
function validateSystem(field: string, name: string | undefined): FieldError[] {
  return name ? oneOf(field, name, systems()) : [required(`${field}.name`, 'cannot be empty')];
}

function validateDns(field: string, config: PodSpec['dnsConfig']): FieldError[] {
  const { nameservers = [], searches = [], options } = config ?? {};
  const errors: FieldError[] = [];
  if (nameservers.length > maxNameservers) {
    errors.push(invalid(`${field}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`));
  }
  errors.push(...each(`${field}.nameservers`, nameservers, (ip, at) => validIp(at, ip)));
  if (searches.length > maxSearches) {
    errors.push(invalid(`${field}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  }
  if (searches.join(' ').length > maxSearchBytes) {
    const why = `must not have more than ${maxSearchBytes} characters (including spaces) in the search list`;
    errors.push(invalid(`${field}.searches`, searches, why));
  }
  errors.push(
    ...each(`${field}.searches`, searches, (search, at) =>
      search === '.' ? [] : invalidFor(at, search, whyNotDnsSubdomain(search.replace(/\.$/, '').replaceAll('_', '-'))),
    ),
  );
  return [
    ...errors,
    ...each(`${field}.options`, options, ({ name }, at) => (name ? [] : [required(at, 'must not be empty')])),
  ];
}

function validateGates(field: string, { schedulingGates = [], nodeName }: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { name }] of schedulingGates.entries()) {
    errors.push(...invalidFor(`${field}[${index}]`, name, whyNotQualifiedName(name)));
    if (seen.has(name)) errors.push(duplicate(`${field}[${index}]`, name));
    seen.add(name);
  }
  if (schedulingGates.length > 0 && nodeName) {
    errors.push(
      forbidden(
        field.replace(/schedulingGates$/, 'nodeName'),
        'cannot be set until all schedulingGates have been cleared',
      ),
    );
  }
  return errors;
}

const id = (field: string, value: number | undefined): FieldError[] => inRange(field, value, 0, maxInt32);

function validateSecurity(field: string, context: SecurityContext | undefined, spec: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(
      invalid(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  }
  if (context === undefined) return errors;
  errors.push(
    ...id(`${field}.runAsUser`, context.runAsUser),
    ...id(`${field}.runAsGroup`, context.runAsGroup),
    ...id(`${field}.fsGroup`, context.fsGroup),
    ...each(`${field}.supplementalGroups`, context.supplementalGroups, (group, at) => id(at, group)),
    ...oneOf(`${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, groupChanges()),
    ...oneOf(`${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, groupPolicies()),
    ...oneOf(`${field}.seLinuxChangePolicy`, context.seLinuxChangePolicy, labelChanges()),
    ...validateProfiles(field, context),
  );
  const seen = new Set<string>();
  for (const [index, { name }] of (context.sysctls ?? []).entries()) {
    const at = `${field}.sysctls[${index}].name`;
    if (!name) errors.push(required(at));
    else if (!/^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9]$/.test(name) || name.length > 253) {
      errors.push(
        invalid(
          at,
          name,
          'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*([a-z0-9]([-_a-z0-9]*[a-z0-9])?)$',
        ),
      );
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    if (spec.hostNetwork === true && /^net[./]/.test(name))
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    if (spec.hostIPC === true && /^(kernel[./](shm|msg|sem)|fs[./]mqueue)/.test(name)) {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
  }
  return errors;
}

interface Profiles {
  readonly seccompProfile?: SecurityContext['seccompProfile'];
  readonly appArmorProfile?: SecurityContext['appArmorProfile'];
}

/** Seccomp and AppArmor, of a pod or a container. */
export function validateProfiles(field: string, { seccompProfile, appArmorProfile }: Profiles): FieldError[] {
  return (
    [
      ['seccompProfile', seccompProfile],
      ['appArmorProfile', appArmorProfile],
    ] as const
  ).flatMap(([name, profile]) => {
    if (profile === undefined) return [];
    const { type, localhostProfile } = profile;
    const at = `${field}.${name}`;
    const errors = type
      ? oneOf(`${at}.type`, type, profiles[name]())
      : [required(`${at}.type`, `type is required when ${name} is set`)];
    if (type === 'Localhost' && !localhostProfile) {
      errors.push(
        required(
          `${at}.localhostProfile`,
          `must be set when ${name === 'seccompProfile' ? 'seccomp' : 'AppArmor'} type is Localhost`,
        ),
      );
    }
    if (type !== 'Localhost' && localhostProfile !== undefined) {
      const why =
        name === 'seccompProfile'
          ? 'can only be set when seccomp type is Localhost'
          : 'can only be set when type is "Localhost"';
      errors.push(invalid(`${at}.localhostProfile`, localhostProfile, why));
    }
    return errors;
  });
}

function validateClaims(field: string, claims: PodSpec['resourceClaims'] = []): FieldError[] {
  const seen = new Set<string>();
  return each(field, claims, ({ name, resourceClaimName, resourceClaimTemplateName }, at) => {
    const errors = name ? invalidFor(`${at}.name`, name, whyNotDnsLabel(name)) : requireText(`${at}.name`, name);
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
    const why = 'exactly one of `resourceClaimName`, `resourceClaimTemplateName` must be set';
    const given = [resourceClaimName, resourceClaimTemplateName].filter((one) => one !== undefined).length;
    if (given !== 1) errors.push(invalid(at, claims[0] ?? {}, why));
    return errors;
  });
}

/** Ports that one node can give only once: hostPort, protocol and address, over all containers of the pod. */
export function hostPortConflicts(field: string, spec: PodSpec): FieldError[] {
  const taken = new Set<string>();
  const errors: FieldError[] = [];
  const initial = (spec.initContainers ?? []).map(
    (container, index) => [`${field}.initContainers[${index}]`, container] as const,
  );
  const main = (spec.containers ?? []).map((container, index) => [`${field}.containers[${index}]`, container] as const);
  // An init container that ends gives its ports back; only sidecars keep them.
  for (const [at, { ports = [] }] of [...initial.filter(([, one]) => one.restartPolicy === 'Always'), ...main]) {
    for (const [index, { hostPort, hostIP = '', protocol = 'TCP' }] of ports.entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) errors.push(duplicate(`${at}.ports[${index}].hostPort`, key));
      taken.add(key);
      if (hostIP !== '' && isIP(hostIP) === 0) errors.push(...validIp(`${at}.ports[${index}].hostIP`, hostIP));
    }
  }
  return errors;
}
