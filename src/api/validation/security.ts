// Who a pod's processes are and what holds them: users, groups, seccomp, AppArmor, sysctls, privileges.
// Source: kubernetes pkg/apis/core/validation (validatePodSpecSecurityContext, ValidateSecurityContext).

import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container, PodSpec } from '../types.ts';
import { validDescendingPath } from './file-paths.ts';
import { each, inRange, oneOf, strictlyOneOf } from './rules.ts';
import { validateWindowsOptions } from './windows.ts';

type PodContext = NonNullable<PodSpec['securityContext']>;
type Seccomp = NonNullable<PodContext['seccompProfile']>;
type AppArmor = NonNullable<PodContext['appArmorProfile']>;

const core = 'io.k8s.api.core.v1';
const groupChanges = valuesOf(`${core}.PodSecurityContext`, 'fsGroupChangePolicy');
const groupPolicies = valuesOf(`${core}.PodSecurityContext`, 'supplementalGroupsPolicy');
const labelChanges = valuesOf(`${core}.PodSecurityContext`, 'seLinuxChangePolicy');
const procMounts = valuesOf(`${core}.SecurityContext`, 'procMount');
const seccompTypes = valuesOf(`${core}.SeccompProfile`, 'type');
const appArmorTypes = valuesOf(`${core}.AppArmorProfile`, 'type');
const maxInt32 = 2_147_483_647;
const maxProfile = 4095;
const maxSysctl = 253;
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlFmt = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';

const id = (field: string, value: number | undefined): FieldError[] => inRange(field, value, 0, maxInt32);

export function validatePodSecurity(field: string, spec: PodSpec): FieldError[] {
  const { securityContext: context = {} } = spec;
  const errors = [
    ...id(`${field}.fsGroup`, context.fsGroup),
    ...id(`${field}.runAsUser`, context.runAsUser),
    ...id(`${field}.runAsGroup`, context.runAsGroup),
    ...each(`${field}.supplementalGroups`, context.supplementalGroups, (group, at) => id(at, group)),
  ];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalid(`${field}.shareProcessNamespace`, true, why));
  }
  if (context.sysctls !== undefined) errors.push(...validateSysctls(`${field}.sysctls`, context.sysctls, spec));
  errors.push(
    ...strictlyOneOf(`${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, groupChanges()),
    ...validateSeccomp(`${field}.seccompProfile`, context.seccompProfile),
    ...validateWindowsOptions(`${field}.windowsOptions`, context.windowsOptions),
    ...validateAppArmor(`${field}.appArmorProfile`, context.appArmorProfile),
    ...strictlyOneOf(`${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, groupPolicies()),
    ...strictlyOneOf(`${field}.seLinuxChangePolicy`, context.seLinuxChangePolicy, labelChanges()),
  );
  return errors;
}

function validateSysctls(field: string, sysctls: NonNullable<PodContext['sysctls']>, spec: PodSpec): FieldError[] {
  const seen = new Set<string>();
  return sysctls.flatMap(({ name = '' }, index) => {
    const at = `${field}[${index}].name`;
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(at));
    else if (name.length > maxSysctl || !sysctlName.test(name)) {
      errors.push(invalid(at, name, `must have at most ${maxSysctl} characters and match regex ${sysctlFmt}`));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    if (spec.hostNetwork === true && /^net[./]/.test(name)) {
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC === true && /^(kernel[./](shm|msg|sem$)|fs[./]mqueue[./])/.test(name)) {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    return errors;
  });
}

function validateSeccomp(field: string, profile: Seccomp | undefined): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const errors = type
    ? oneOf(`${field}.type`, type, seccompTypes())
    : [required(`${field}.type`, 'type is required when seccompProfile is set')];
  const at = `${field}.localhostProfile`;
  if (type !== 'Localhost') {
    const why = 'can only be set when seccomp type is Localhost';
    if (localhostProfile !== undefined) errors.push(invalid(at, profile, why));
  } else if (localhostProfile === undefined) {
    errors.push(required(at, 'must be set when seccomp type is Localhost'));
  } else errors.push(...validDescendingPath(at, localhostProfile));
  return errors;
}

function validateAppArmor(field: string, profile: AppArmor | undefined): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = `${field}.localhostProfile`;
  if (!type) return [required(`${field}.type`, 'type is required when appArmorProfile is set')];
  if (type !== 'Localhost') {
    const errors = oneOf(`${field}.type`, type, appArmorTypes());
    if (errors.length === 0 && localhostProfile !== undefined) {
      errors.push(invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost'));
    }
    return errors;
  }
  const name = localhostProfile?.trim() ?? '';
  if (localhostProfile === undefined) return [required(at, 'must be set when AppArmor type is Localhost')];
  const errors: FieldError[] = [];
  if (name !== localhostProfile) errors.push(invalid(at, localhostProfile, 'must not be padded with whitespace'));
  else if (name === '') errors.push(required(at, 'must be set when AppArmor type is Localhost'));
  if (localhostProfile.length > maxProfile) errors.push(tooLong(at, maxProfile));
  return errors;
}

/** @param hostUsers whether the pod shares the node's users. */
export function validateContainerSecurity(
  field: string,
  context: Container['securityContext'],
  hostUsers: boolean,
): FieldError[] {
  if (context === undefined) return [];
  const { procMount } = context;
  const errors = [
    ...id(`${field}.runAsUser`, context.runAsUser),
    ...id(`${field}.runAsGroup`, context.runAsGroup),
    ...strictlyOneOf(`${field}.procMount`, procMount, procMounts()),
  ];
  if (hostUsers && procMount === 'Unmasked') {
    errors.push(invalid(`${field}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  errors.push(...validateSeccomp(`${field}.seccompProfile`, context.seccompProfile));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(invalid(field, context, why));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN') === true) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(invalid(field, context, why));
    }
  }
  errors.push(
    ...validateWindowsOptions(`${field}.windowsOptions`, context.windowsOptions),
    ...validateAppArmor(`${field}.appArmorProfile`, context.appArmorProfile),
  );
  return errors;
}

/** A pod with users of its own shares nothing else that has users with the node. */
export function validateHostUsers(field: string, spec: PodSpec): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const why = 'when `pod.Spec.HostUsers` is false';
  const errors: FieldError[] = [];
  if (spec.hostNetwork === true) errors.push(forbidden(`${field}.hostNetwork`, why));
  if (spec.hostPID === true) errors.push(forbidden(`${field}.HostPID`, why));
  if (spec.hostIPC === true) errors.push(forbidden(`${field}.HostIPC`, why));
  return errors;
}
