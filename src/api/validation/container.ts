// One container of a pod: main, init or ephemeral. Source: kubernetes pkg/apis/core/validation (validateContainers).

import { duplicate, type FieldError, forbidden, invalid, notFound, required } from '../field-error.ts';
import { compareQuantities, parseQuantity, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container, Probe } from '../types.ts';
import { type PartPlace, validateContainerParts } from './container-parts.ts';
import { validateHandler } from './handlers.ts';
import {
  whyNotConfigMapKey,
  whyNotDnsLabel,
  whyNotEnvVarName,
  whyNotPort,
  whyNotPortName,
  whyNotQualifiedName,
} from './names.ts';
import { invalidFor, nonNegative, oneOf, requireText } from './rules.ts';

const core = 'io.k8s.api.core.v1';
const pullPolicies = valuesOf(`${core}.Container`, 'imagePullPolicy');
const messagePolicies = valuesOf(`${core}.Container`, 'terminationMessagePolicy');
const protocols = valuesOf(`${core}.ContainerPort`, 'protocol');
const restarts = valuesOf(`${core}.Container`, 'restartPolicy');

interface ContainerPlace extends PartPlace {
  readonly hostNetwork: boolean;
}

export function validateContainer(container: Container, place: ContainerPlace): FieldError[] {
  const { field } = place;
  const errors = requireText(`${field}.name`, container.name);
  if (container.name) errors.push(...invalidFor(`${field}.name`, container.name, whyNotDnsLabel(container.name)));
  const { image = '' } = container;
  if (image === '') errors.push(required(`${field}.image`));
  else if (image !== image.trim())
    errors.push(invalid(`${field}.image`, image, 'must not have leading or trailing whitespace'));
  errors.push(...oneOf(`${field}.imagePullPolicy`, container.imagePullPolicy, pullPolicies()));
  errors.push(...oneOf(`${field}.restartPolicy`, container.restartPolicy, restarts()));
  const { terminationMessagePolicy } = container;
  errors.push(...oneOf(`${field}.terminationMessagePolicy`, terminationMessagePolicy, messagePolicies()));
  errors.push(
    ...validatePorts(container, place),
    ...validateEnv(container, field),
    ...validateMounts(container, place),
  );
  errors.push(...validateResources(container, field));
  errors.push(...validateProbes(container, place), ...validateContainerParts(container, place));
  return errors;
}

function validatePorts({ ports = [] }: Container, { field, hostNetwork }: ContainerPlace): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol = '' }] of ports.entries()) {
    const at = `${field}.ports[${index}]`;
    if (name) {
      const why = whyNotPortName(name);
      errors.push(...invalidFor(`${at}.name`, name, why));
      if (why.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalidFor(`${at}.containerPort`, containerPort, whyNotPort(containerPort)));
    if (hostPort) errors.push(...invalidFor(`${at}.hostPort`, hostPort, whyNotPort(hostPort)));
    if (protocol === '') errors.push(required(`${at}.protocol`));
    else errors.push(...oneOf(`${at}.protocol`, protocol, protocols()));
    if (hostNetwork && hostPort && hostPort !== containerPort) {
      errors.push(invalid(`${at}.containerPort`, containerPort, 'must match `hostPort` when `hostNetwork` is true'));
    }
  }
  return errors;
}

function validateEnv({ env = [], envFrom = [] }: Container, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    const at = `${field}.env[${index}]`;
    if (!name) errors.push(required(`${at}.name`));
    else errors.push(...invalidFor(`${at}.name`, name, whyNotEnvVarName(name)));
    if (valueFrom === undefined) continue;
    const sources = Object.keys(valueFrom);
    if (sources.length === 0) {
      errors.push(
        invalid(
          `${at}.valueFrom`,
          '',
          'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        ),
      );
    }
    if (value) errors.push(invalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'));
    if (sources.length > 1)
      errors.push(invalid(`${at}.valueFrom`, '', 'may not have more than one field specified at a time'));
    for (const ref of ['configMapKeyRef', 'secretKeyRef'] as const) {
      const key = valueFrom[ref]?.key;
      if (valueFrom[ref] === undefined) continue;
      if (!key) errors.push(required(`${at}.valueFrom.${ref}.key`));
      else errors.push(...invalidFor(`${at}.valueFrom.${ref}.key`, key, whyNotConfigMapKey(key)));
    }
    if (valueFrom.fieldRef !== undefined)
      errors.push(...requireText(`${at}.valueFrom.fieldRef.fieldPath`, valueFrom.fieldRef.fieldPath));
  }
  for (const [index, source] of envFrom.entries()) {
    const at = `${field}.envFrom[${index}]`;
    if (source.configMapRef === undefined && source.secretRef === undefined) {
      errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    }
  }
  return errors;
}

function validateMounts({ volumeMounts = [] }: Container, { field, volumes }: ContainerPlace): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [index, { name, mountPath, subPath }] of volumeMounts.entries()) {
    const at = `${field}.volumeMounts[${index}]`;
    if (!name) errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (!mountPath) errors.push(required(`${at}.mountPath`));
    else if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (subPath?.startsWith('/')) errors.push(invalid(`${at}.subPath`, subPath, 'must be a relative path'));
    if (subPath?.split('/').includes('..')) errors.push(invalid(`${at}.subPath`, subPath, "must not contain '..'"));
  }
  return errors;
}

const standardResources = /^(cpu|memory|storage|ephemeral-storage|hugepages-.+)$/;

function validateResources({ resources }: Container, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const { limits = {}, requests = {} } = resources ?? {};
  for (const [part, amounts] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts)) {
      const at = `${field}.resources.${part}[${name}]`;
      errors.push(...invalidFor(at, name, whyNotQualifiedName(name)));
      if (!name.includes('/') && !standardResources.test(name)) {
        errors.push(invalid(at, name, 'must be a standard resource for containers'));
      }
      if (signOf(parseQuantity(amount)) < 0) errors.push(invalid(at, amount, 'must be greater than or equal to 0'));
    }
  }
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && compareQuantities(parseQuantity(amount), parseQuantity(limit)) > 0) {
      errors.push(
        invalid(`${field}.resources.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`),
      );
    }
  }
  return errors;
}

const probeNames = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function validateProbes(container: Container, { field, role }: ContainerPlace): FieldError[] {
  const allowed = role === 'main' || (role === 'init' && container.restartPolicy === 'Always');
  return probeNames.flatMap((name) => {
    const probe = container[name];
    if (probe === undefined) return [];
    const at = `${field}.${name}`;
    if (!allowed) {
      return role === 'ephemeral'
        ? [forbidden(at, 'cannot be set for an Ephemeral Container')]
        : [forbidden(at, 'may not be set for init containers without restartPolicy=Always')];
    }
    return validateProbe(at, probe, name);
  });
}

function validateProbe(field: string, probe: Probe, name: (typeof probeNames)[number]): FieldError[] {
  const errors = validateHandler(field, probe);
  for (const key of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    errors.push(...nonNegative(`${field}.${key}`, probe[key]));
  }
  if (name !== 'readinessProbe' && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    errors.push(invalid(`${field}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}
