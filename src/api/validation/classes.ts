// Classes that other objects name: what a change would silently alter under those who use them stays as it is.
// Source: kubernetes pkg/apis/{scheduling,storage,networking,node}/validation.

import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { IngressClass, PriorityClass, RuntimeClass, StorageClass } from '../types.ts';
import { whyNotDnsLabel, whyNotQualifiedName } from './names.ts';
import { validateToleration } from './pod-parts.ts';
import { validateContainerResources } from './resources.ts';
import { each, immutable, invalidFor, oneOf, sameJson, strictlyOneOf, validLabels } from './rules.ts';

const preemptionPolicies = valuesOf('io.k8s.api.scheduling.v1.PriorityClass', 'preemptionPolicy');
const reclaimPolicies = valuesOf('io.k8s.api.storage.v1.StorageClass', 'reclaimPolicy');
const bindingModes = valuesOf('io.k8s.api.storage.v1.StorageClass', 'volumeBindingMode');

/** Source: HighestUserDefinablePriority. */
const highestPriority = 1_000_000_000;
/** The cluster's own classes and their values. */
const systemClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export function validatePriorityClass(one: PriorityClass): readonly FieldError[] {
  const { metadata, value = 0, globalDefault, preemptionPolicy } = one;
  const name = metadata?.name ?? '';
  const errors: FieldError[] = [];
  if (name.startsWith('system-')) {
    if (systemClasses[name] !== value || globalDefault === true) {
      const why = "priority class names with 'system-' prefix are reserved for system use only";
      errors.push(forbidden('metadata.name', why));
    }
  } else if (value > highestPriority) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestPriority}`));
  }
  if (preemptionPolicy === '') return [...errors, required('preemptionPolicy')];
  return [...errors, ...oneOf('preemptionPolicy', preemptionPolicy, preemptionPolicies())];
}

export function validatePriorityClassUpdate(changed: PriorityClass, old: PriorityClass): readonly FieldError[] {
  const errors = immutable('preemptionPolicy', changed.preemptionPolicy, old.preemptionPolicy);
  if ((changed.value ?? 0) !== (old.value ?? 0)) errors.unshift(forbidden('value', 'may not be changed in an update.'));
  return errors;
}

export function validateStorageClass(one: StorageClass): readonly FieldError[] {
  return [
    ...validateProvisioner('provisioner', one.provisioner),
    ...validateParameters('parameters', one.parameters),
    ...oneOf('reclaimPolicy', one.reclaimPolicy, reclaimPolicies()),
    ...strictlyOneOf('volumeBindingMode', one.volumeBindingMode, bindingModes()),
    ...validateTopologies(one.allowedTopologies),
  ];
}

/** Who makes the volumes of a class; also of VolumeAttributesClasses. */
export function validateProvisioner(field: string, provisioner: string | undefined): FieldError[] {
  if (!provisioner) return [required(field)];
  const name = provisioner.toLowerCase();
  return invalidFor(field, name, whyNotQualifiedName(name));
}

const maxParameters = 512;
const maxParameterBytes = 256 * 1024;

export function validateParameters(field: string, parameters: Readonly<Record<string, string>> = {}): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > maxParameters) return [tooLong(field, maxParameters)];
  const errors = entries.flatMap(([key]) => (key === '' ? [invalid(field, key, 'field can not be empty.')] : []));
  const bytes = entries.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  return bytes > maxParameterBytes ? [...errors, tooLong(field, maxParameterBytes)] : errors;
}

type Topology = NonNullable<StorageClass['allowedTopologies']>[number];

/** Terms are sets of sets: no key, no value and no term twice. A term without expressions counts as one said before. */
function validateTopologies(terms: readonly Topology[] | undefined): FieldError[] {
  const seen = new Set<string>([meaningOf([])]);
  return each('allowedTopologies', terms, ({ matchLabelExpressions: expressions = [] }, at) => {
    const field = `${at}.matchLabelExpressions`;
    const keys = new Set<string>();
    const errors = each(field, expressions, ({ key = '', values = [] }, nth) => {
      const wrong = values.length === 0 ? [required(`${nth}.values`)] : [];
      for (const [index, value] of values.entries()) {
        if (values.indexOf(value) !== index) wrong.push(duplicate(`${nth}.values[${index}]`, value));
      }
      wrong.push(...invalidFor(`${nth}.key`, key, whyNotQualifiedName(key)));
      if (keys.has(key)) wrong.push(duplicate(`${nth}.key`, key));
      keys.add(key);
      return wrong;
    });
    const meaning = meaningOf(expressions);
    if (seen.has(meaning)) errors.push(duplicate(field, ''));
    seen.add(meaning);
    return errors;
  });
}

function meaningOf(expressions: NonNullable<Topology['matchLabelExpressions']>): string {
  return JSON.stringify(expressions.map(({ key, values = [] }) => [key, [...new Set(values)].sort()]).sort());
}

export function validateStorageClassUpdate(changed: StorageClass, old: StorageClass): readonly FieldError[] {
  const fixed = (['parameters', 'provisioner', 'reclaimPolicy'] as const).filter(
    (field) => !sameJson(changed[field], old[field]),
  );
  return [
    ...fixed.map((field) => forbidden(field, `updates to ${field} are forbidden.`)),
    ...immutable('volumeBindingMode', changed.volumeBindingMode, old.volumeBindingMode),
  ];
}

export function validateIngressClassUpdate({ spec }: IngressClass, { spec: old }: IngressClass): readonly FieldError[] {
  return immutable('spec.controller', spec?.controller, old?.controller);
}

export function validateRuntimeClass({ handler = '', overhead, scheduling }: RuntimeClass): readonly FieldError[] {
  const tolerations = scheduling?.tolerations ?? [];
  const seen = new Set<string>();
  return [
    ...invalidFor('handler', handler, whyNotDnsLabel(handler)),
    ...(overhead === undefined ? [] : validateContainerResources('overhead', { limits: overhead.podFixed ?? {} }, [])),
    ...validLabels('scheduling.nodeSelector', scheduling?.nodeSelector),
    ...each('scheduling.tolerations', tolerations, (one, at) => {
      const { key, operator, value, effect } = one;
      const errors = validateToleration(at, one);
      const meaning = JSON.stringify([key, operator, value, effect]);
      if (seen.has(meaning)) errors.push(duplicate(at, one));
      seen.add(meaning);
      return errors;
    }),
  ];
}

export function validateRuntimeClassUpdate(changed: RuntimeClass, old: RuntimeClass): readonly FieldError[] {
  return immutable('handler', changed.handler, old.handler);
}
