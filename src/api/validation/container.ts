// The containers of a pod: main, init and ephemeral, in upstream's order of answers. Source: kubernetes
// pkg/apis/core/validation (validateContainers, validateInitContainers, validateEphemeralContainers).

import { duplicate, type FieldError, forbidden, invalid, notFound, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container, PodSpec, Volume } from '../types.ts';
import { validateEnv } from './env.ts';
import { validateHandler } from './handlers.ts';
import { validateDevices, validateMounts } from './mounts.ts';
import { whyNotDnsLabel, whyNotPort, whyNotPortName } from './names.ts';
import { validateProbe } from './probes.ts';
import { validateContainerResources } from './resources.ts';
import { validateRestart } from './restart-rules.ts';
import { each, invalidFor, requireOneOf } from './rules.ts';
import { validateContainerSecurity } from './security.ts';

/** What the pod says that its containers must agree with. */
export interface PodPlace {
  /** Volumes by name; undefined for one that the template of a workload adds. */
  readonly volumes: ReadonlyMap<string, Volume | undefined>;
  /** Names of its resource claims. */
  readonly claims: readonly string[];
  readonly restarts: string | undefined;
  readonly hostUsers: boolean;
  /** Seconds that it has to end. */
  readonly grace: number | undefined;
}

const core = 'io.k8s.api.core.v1';
const pullPolicies = valuesOf(`${core}.Container`, 'imagePullPolicy');
const messagePolicies = valuesOf(`${core}.Container`, 'terminationMessagePolicy');
const protocols = valuesOf(`${core}.ContainerPort`, 'protocol');
const resizedResources = valuesOf(`${core}.ContainerResizePolicy`, 'resourceName');
const resizeRestarts = valuesOf(`${core}.ContainerResizePolicy`, 'restartPolicy');
const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const longRunning = ['lifecycle', ...probes] as const;

export function validateContainers(field: string, spec: PodSpec, place: PodPlace): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const errors: FieldError[] = [];
  const names = new Set<string>();
  if (containers.length === 0) errors.push(required(`${field}.containers`));
  for (const [index, container] of containers.entries()) {
    const at = `${field}.containers[${index}]`;
    errors.push(...validateCommon(container, at, place), ...uniqueName(container, at, names));
    errors.push(...validateLongRunning(container, at, place));
    errors.push(...validateRestart(container, at));
  }
  errors.push(...hostPortConflicts(`${field}.containers`, containers));
  for (const [index, container] of initContainers.entries()) {
    const at = `${field}.initContainers[${index}]`;
    errors.push(...validateCommon(container, at, place));
    errors.push(...validateRestart(container, at));
    errors.push(...uniqueName(container, at, names), ...hostPortConflicts(`${field}.initContainers`, [container]));
    if (container.restartPolicy === 'Always') errors.push(...validateLongRunning(container, at, place));
    else
      errors.push(
        ...without(container, at, longRunning, 'may not be set for init containers without restartPolicy=Always'),
      );
  }
  const targets = new Set(names);
  for (const [index, container] of ephemeralContainers.entries()) {
    errors.push(...validateEphemeral(container as Container, `${field}.ephemeralContainers[${index}]`, place, names));
    const target = container.targetContainerName;
    if (target && !targets.has(target)) {
      errors.push(notFound(`${field}.ephemeralContainers[${index}].targetContainerName`, target));
    }
  }
  return errors;
}

/** A name that an earlier container has. */
function uniqueName({ name }: Container, at: string, names: Set<string>): FieldError[] {
  if (!name) return [];
  if (names.has(name)) return [duplicate(`${at}.name`, name)];
  names.add(name);
  return [];
}

function without(container: Container, at: string, keys: readonly (keyof Container)[], why: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of keys) if (container[key] !== undefined) errors.push(forbidden(`${at}.${key}`, why));
  return errors;
}

function validateCommon(container: Container, at: string, place: PodPlace): FieldError[] {
  const { name, image, ports, env, envFrom, volumeMounts, volumeDevices, resizePolicy } = container;
  const errors = name ? invalidFor(`${at}.name`, name, whyNotDnsLabel(name)) : [required(`${at}.name`)];
  if (!image) errors.push(required(`${at}.image`));
  const messages = container.terminationMessagePolicy;
  errors.push(...requireOneOf(`${at}.terminationMessagePolicy`, messages, messagePolicies()));
  if (ports !== undefined) errors.push(...validatePorts(`${at}.ports`, ports));
  if (env !== undefined || envFrom !== undefined) errors.push(...validateEnv(container, at));
  if (volumeMounts !== undefined) errors.push(...validateMounts(container, `${at}.volumeMounts`, place.volumes));
  if (volumeDevices !== undefined) errors.push(...validateDevices(container, `${at}.volumeDevices`, place.volumes));
  errors.push(
    ...requireOneOf(`${at}.imagePullPolicy`, container.imagePullPolicy, pullPolicies()),
    ...validateContainerResources(`${at}.resources`, container.resources, place.claims),
  );
  if (resizePolicy !== undefined)
    errors.push(...validateResizePolicy(`${at}.resizePolicy`, resizePolicy, place.restarts));
  errors.push(...validateContainerSecurity(`${at}.securityContext`, container.securityContext, place.hostUsers));
  return errors;
}

/** Only what runs beside the pod's other containers can be asked how it is, or told that it starts and ends. */
function validateLongRunning(container: Container, at: string, { grace }: PodPlace): FieldError[] {
  const { lifecycle } = container;
  const errors: FieldError[] = [];
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle?.[hook];
    if (handler !== undefined) errors.push(...validateHandler(`${at}.lifecycle.${hook}`, handler, grace));
  }
  for (const name of probes) {
    const probe = container[name];
    if (probe !== undefined) errors.push(...validateProbe(`${at}.${name}`, probe, name));
  }
  return errors;
}

function validatePorts(field: string, ports: NonNullable<Container['ports']>): FieldError[] {
  const names = new Set<string>();
  return each(field, ports, ({ name, containerPort, hostPort, protocol }, at) => {
    const errors: FieldError[] = [];
    if (name) {
      const why = whyNotPortName(name);
      if (why.length > 0) errors.push(...invalidFor(`${at}.name`, name, why));
      else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      else names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalidFor(`${at}.containerPort`, containerPort, whyNotPort(containerPort)));
    if (hostPort) errors.push(...invalidFor(`${at}.hostPort`, hostPort, whyNotPort(hostPort)));
    errors.push(...requireOneOf(`${at}.protocol`, protocol, protocols()));
    return errors;
  });
}

/** Ports that one node can give only once: protocol, address and number, over containers that run at the same time. */
function hostPortConflicts(field: string, containers: readonly Container[]): FieldError[] {
  const errors: FieldError[] = [];
  let taken: Set<string> | undefined;
  for (const [index, { ports = [] }] of containers.entries()) {
    for (const [nth, { hostPort, hostIP = '', protocol = '' }] of ports.entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      taken ??= new Set();
      if (taken.has(key)) errors.push(duplicate(`${field}[${index}].ports[${nth}].hostPort`, key));
      taken.add(key);
    }
  }
  return errors;
}

/** Only a second entry for one resource is named by its index; all else is said of the whole list, as upstream says it. */
function validateResizePolicy(
  field: string,
  policies: NonNullable<Container['resizePolicy']>,
  podRestarts: string | undefined,
): FieldError[] {
  const seen = new Set<string>();
  return each(field, policies, ({ resourceName, restartPolicy }, at) => {
    const errors = seen.has(resourceName) ? [duplicate(at, resourceName)] : [];
    seen.add(resourceName);
    errors.push(
      ...requireOneOf(field, resourceName, resizedResources()),
      ...requireOneOf(field, restartPolicy, resizeRestarts()),
    );
    if (podRestarts === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(field, restartPolicy ?? '', "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return errors;
  });
}

const notEphemeral = [
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

/** Containers that are added to look into a running pod: it must not come to need them. */
function validateEphemeral(container: Container, at: string, place: PodPlace, names: Set<string>): FieldError[] {
  const why = 'cannot be set for an Ephemeral Container';
  const errors = [
    ...validateCommon(container, at, place),
    ...validateImageText(container, at),
    ...uniqueName(container, at, names),
  ];
  if ((container.ports ?? []).length > 0) errors.push(forbidden(`${at}.ports`, why));
  if (Object.keys(container.resources ?? {}).length > 0) errors.push(forbidden(`${at}.resources`, why));
  errors.push(...without(container, at, notEphemeral, why));
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    for (const key of ['subPath', 'subPathExpr'] as const) {
      if (mount[key]) errors.push(forbidden(`${at}.volumeMounts[${index}].${key}`, why));
    }
  }
  return errors;
}

/** Asked in pods alone: templates with blanks around an image were always accepted. */
export function validateImageText({ image = '' }: Container, at: string): FieldError[] {
  return image.trim().length === image.length
    ? []
    : [invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')];
}
