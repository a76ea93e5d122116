// Annotations that say of a pod what fields say today, or what only the control plane may say.
// Source: kubernetes pkg/apis/core/validation (ValidatePodSpecificAnnotations, ValidatePodSpecificAnnotationUpdates,
// validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate).

import { type FieldError, forbidden, invalid } from '../field-error.ts';
import type { PodSpec } from '../types.ts';
import { validDescendingPath } from './file-paths.ts';
import { containersOf } from './windows.ts';

export type Annotations = Readonly<Record<string, string>>;

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}

export const mirrorAnnotation = 'kubernetes.io/config.mirror';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const seccompOfPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompOfContainer = 'container.seccomp.security.alpha.kubernetes.io/';
const appArmor = 'container.apparmor.security.beta.kubernetes.io/';
const at = 'metadata.annotations';

export function validatePodAnnotations(annotations: Annotations, spec: PodSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in annotations) {
    const value = annotations[key] ?? '';
    if (key === mirrorAnnotation) {
      const why = 'must set spec.nodeName if mirror pod annotation is set';
      if (!spec?.nodeName) errors.push(invalid(`${at}[${key}]`, value, why));
    } else if (key === deletionCost) {
      if (!isCost(value)) errors.push(invalid(`${at}[${key}]`, value, 'must be a 32bit integer'));
    } else if (key === seccompOfPod || key.startsWith(seccompOfContainer)) {
      errors.push(...validateSeccomp(`${at}.${key}`, value));
    } else if (key.startsWith(appArmor)) errors.push(...validateAppArmor(`${at}[${key}]`, key, value, spec));
  }
  return errors;
}

/** No plus sign, no leading zero; absent is 0. */
function isCost(value: string): boolean {
  return /^(0|-?[1-9]\d{0,9})$/.test(value) && Number(value) === (Number(value) | 0);
}

function validateSeccomp(field: string, profile: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  if (profile.startsWith('localhost/')) return validDescendingPath(field, profile.slice('localhost/'.length));
  return [invalid(field, profile, 'must be a valid seccomp profile')];
}

function validateAppArmor(field: string, key: string, profile: string, spec: PodSpec | undefined): FieldError[] {
  const name = key.slice(appArmor.length);
  const errors: FieldError[] = [];
  const there = spec !== undefined && [...containersOf('spec', spec)].some(([, one]) => one.name === name);
  if (!there) errors.push(invalid(field, name, 'container not found'));
  if (!/^(|runtime\/default|unconfined|localhost\/.*)$/s.test(profile)) {
    errors.push(invalid(field, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  }
  return errors;
}

export function validatePodAnnotationsUpdate(now: Annotations, before: Annotations): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in before) {
    if (now[key] === before[key]) continue;
    if (key.startsWith(appArmor)) {
      errors.push(forbidden(`${at}[${key}]`, 'may not remove or update AppArmor annotations'));
    }
    if (key === mirrorAnnotation) {
      errors.push(forbidden(`${at}[${key}]`, 'may not remove or update mirror pod annotation'));
    }
  }
  for (const key in now) {
    if (Object.hasOwn(before, key)) continue;
    if (key.startsWith(appArmor)) errors.push(forbidden(`${at}[${key}]`, 'may not add AppArmor annotations'));
    if (key === mirrorAnnotation) errors.push(forbidden(`${at}[${key}]`, 'may not add mirror pod annotation'));
  }
  return errors;
}

/** A profile that is told twice, by a field and by an annotation, must be the same one. */
export function validateProfilesMatch(annotations: Annotations, spec: PodSpec): FieldError[] {
  const ofPod = spec.securityContext;
  const seccomp: FieldError[] = [];
  const armor: FieldError[] = [];
  const compare = (errors: FieldError[], key: string, field: string, profile: Profile | undefined): void => {
    const annotation = annotations[key];
    if (annotation === undefined || profile === undefined) return;
    const what = field.endsWith('appArmorProfile') ? 'apparmor' : 'seccomp';
    const [type, name] = typeOf(annotation);
    if (type !== profile.type) {
      errors.push(forbidden(`${field}.type`, `${what} type in annotation and field must match`));
    } else if (type === 'Localhost' && name !== profile.localhostProfile) {
      errors.push(forbidden(`${field}.localhostProfile`, `${what} profile in annotation and field must match`));
    }
  };
  compare(seccomp, seccompOfPod, 'spec.securityContext.seccompProfile', ofPod?.seccompProfile);
  for (const [field, { name, securityContext: own }] of containersOf('spec', spec)) {
    const context = `${field}.securityContext`;
    compare(seccomp, `${seccompOfContainer}${name}`, `${context}.seccompProfile`, own?.seccompProfile);
    if (spec.os?.name === 'windows') continue;
    const profile = own?.appArmorProfile ?? ofPod?.appArmorProfile;
    compare(armor, `${appArmor}${name}`, `${context}.appArmorProfile`, profile);
  }
  return [...seccomp, ...armor];
}

function typeOf(annotation: string): readonly [type: string, name?: string] {
  if (annotation === 'unconfined') return ['Unconfined'];
  if (annotation === 'runtime/default' || annotation === 'docker/default') return ['RuntimeDefault'];
  return annotation.startsWith('localhost/') ? ['Localhost', annotation.slice('localhost/'.length)] : [''];
}
