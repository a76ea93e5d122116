// A container's environment: literal values with $(NAME) expansion, references to the pod's own fields, to ConfigMaps and
// Secrets, and the variables that describe Services. Pure: what is referred to is looked up through the functions given.
// Source: kubernetes.io/docs/tasks/inject-data-application, pkg/kubelet/kubelet_pods.go.

import type { ConfigMap, Container, Pod, Secret, Service } from '../../api/index.ts';
import { containerField, podField } from './fields.ts';

export interface EnvSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** Services whose addresses the container gets; none when enableServiceLinks is false. */
  readonly services: readonly Service[];
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Why a container cannot be started as its spec says; shown as its waiting state. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}

export interface EnvVar {
  readonly key: string;
  readonly value: string;
}

export function containerEnv(pod: Pod, container: Container, sources: EnvSources): readonly EnvVar[] {
  const services = serviceEnv(sources.services);
  const result = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(bulk(from, sources))) result.set(`${from.prefix ?? ''}${key}`, value);
  }
  const expanded = new Map<string, string>();
  for (const { name, value, valueFrom } of container.env ?? []) {
    const known = (key: string): string | undefined => expanded.get(key) ?? services.get(key);
    const text = valueFrom === undefined ? expand(value ?? '', known) : reference(pod, container, valueFrom, sources);
    if (text === undefined) continue;
    result.set(name, text);
    expanded.set(name, text);
  }
  for (const [key, value] of services) if (!result.has(key)) result.set(key, value);
  return [...result].map(([key, value]) => ({ key, value }));
}

/** Replaces $(NAME) by its value; $$(NAME) stays as $(NAME), and so does a name that is not known. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, after: string, name: string | undefined) => {
    if (after === '$') return '$';
    return name === undefined ? whole : (lookUp(name) ?? whole);
  });
}

type EnvFrom = NonNullable<Container['envFrom']>[number];
type ValueFrom = NonNullable<NonNullable<Container['env']>[number]['valueFrom']>;

function bulk({ configMapRef, secretRef }: EnvFrom, sources: EnvSources): Readonly<Record<string, string>> {
  if (configMapRef !== undefined) {
    const { name = '', optional = false } = configMapRef;
    const found = sources.configMap(name);
    if (found === undefined && !optional) throw new ContainerConfigError(`configmap "${name}" not found`);
    return found?.data ?? {};
  }
  if (secretRef !== undefined) {
    const { name = '', optional = false } = secretRef;
    const found = sources.secret(name);
    if (found === undefined && !optional) throw new ContainerConfigError(`secret "${name}" not found`);
    return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, fromBase64(value)]));
  }
  return {};
}

function reference(pod: Pod, container: Container, from: ValueFrom, sources: EnvSources): string | undefined {
  if (from.fieldRef !== undefined) return podField(pod, from.fieldRef.fieldPath, sources);
  if (from.resourceFieldRef !== undefined) return containerField(pod, container, from.resourceFieldRef, sources);
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional = false } = from.configMapKeyRef;
    const found = sources.configMap(name);
    const value = found?.data?.[key];
    if (value !== undefined || optional) return value;
    throw new ContainerConfigError(
      found === undefined
        ? `configmap "${name}" not found`
        : `couldn't find key ${key} in ConfigMap ${placeOf(pod, name)}`,
    );
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional = false } = from.secretKeyRef;
    const found = sources.secret(name);
    const value = found?.data?.[key];
    if (value !== undefined) return fromBase64(value);
    if (optional) return undefined;
    throw new ContainerConfigError(
      found === undefined ? `secret "${name}" not found` : `couldn't find key ${key} in Secret ${placeOf(pod, name)}`,
    );
  }
  throw new ContainerConfigError(`environment source ${Object.keys(from).join(', ')} is not supported`);
}

function placeOf(pod: Pod, name: string): string {
  return `${pod.metadata?.namespace ?? 'default'}/${name}`;
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** The variables that docker links had: REDIS_SERVICE_HOST, REDIS_PORT_6379_TCP_ADDR and so on. */
function serviceEnv(services: readonly Service[]): ReadonlyMap<string, string> {
  const env = new Map<string, string>();
  for (const { metadata, spec } of services) {
    const { clusterIP = 'None', ports = [] } = spec ?? {};
    const [first] = ports;
    if (clusterIP === 'None' || clusterIP === '' || first === undefined) continue;
    const prefix = (metadata?.name ?? '').toUpperCase().replaceAll('-', '_');
    env.set(`${prefix}_SERVICE_HOST`, clusterIP);
    env.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const { name, port } of ports) {
      if (name !== undefined && name !== '') {
        env.set(`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll('-', '_')}`, String(port));
      }
    }
    const urlOf = (port: (typeof ports)[number]): string =>
      `${(port.protocol ?? 'TCP').toLowerCase()}://${clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP}:${port.port}`;
    env.set(`${prefix}_PORT`, urlOf(first));
    for (const port of ports) {
      const protocol = port.protocol ?? 'TCP';
      const one = `${prefix}_PORT_${port.port}_${protocol}`;
      env.set(one, urlOf(port));
      env.set(`${one}_PROTO`, protocol.toLowerCase());
      env.set(`${one}_PORT`, String(port.port));
      env.set(`${one}_ADDR`, clusterIP);
    }
  }
  return env;
}
