// The checks of level baseline: what lets a container out of its box. In the order in which upstream tells them.
// Source: Kubernetes documentation, "Pod Security Standards".

import {
  badContainers,
  type Check,
  containersOf,
  quoted,
  type SecurityContext,
  setters,
  shown,
  sorted,
} from './check.ts';

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);
const safeSeLinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);

const appArmor: Check = (spec, { annotations = {} }) => {
  const annotated = Object.entries(annotations)
    .filter(([key]) => key.startsWith(appArmorAnnotation))
    .filter(([, value]) => value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const isBad = (profile: { readonly type: string } | undefined): boolean => profile?.type === 'Unconfined';
  const pod = isBad(spec.securityContext?.appArmorProfile);
  const containers = badContainers(spec, ({ appArmorProfile }) => isBad(appArmorProfile));
  const who = setters(pod, containers);
  const details = [...annotated, ...(who === '' ? [] : [`${who} must not set AppArmor profile type to "Unconfined"`])];
  if (details.length === 0) return undefined;
  const count = annotated.length + containers.length + (pod ? 1 : 0);
  return { reason: `forbidden AppArmor profile${count === 1 ? '' : 's'}`, detail: details.join(', ') };
};

export const baselineCapabilities: Check = (spec) => {
  const added = ({ capabilities }: SecurityContext): readonly string[] =>
    (capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name));
  const containers = badContainers(spec, (context) => added(context).length > 0);
  if (containers.length === 0) return undefined;
  const names = sorted(containersOf(spec).flatMap(({ securityContext }) => added(securityContext ?? {})));
  const detail = `${shown('container', containers)} must not include ${quoted(names)} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
};

const hostNamespaces: Check = ({ hostNetwork, hostPID, hostIPC }) => {
  const set = Object.entries({ hostNetwork, hostPID, hostIPC }).filter(([, value]) => value === true);
  if (set.length === 0) return undefined;
  return { reason: 'host namespaces', detail: set.map(([name]) => `${name}=true`).join(', ') };
};

const hostPathVolumes: Check = ({ volumes = [] }) => {
  const names = volumes.filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: shown('volume', names) };
};

const hostPorts: Check = (spec) => {
  const portsOf = ({ ports = [] }: ReturnType<typeof containersOf>[number]): readonly number[] =>
    ports.flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [hostPort]));
  const using = containersOf(spec).filter((container) => portsOf(container).length > 0);
  if (using.length === 0) return undefined;
  const numbers = [...new Set(using.flatMap(portsOf))].sort((a, b) => a - b);
  const port = numbers.length === 1 ? 'hostPort' : 'hostPorts';
  const names = using.map(({ name }) => name);
  const verb = names.length === 1 ? 'uses' : 'use';
  return { reason: 'hostPort', detail: `${shown('container', names)} ${verb} ${port} ${numbers.join(', ')}` };
};

const privileged: Check = (spec) => {
  const names = badContainers(spec, (context) => context.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${shown('container', names)} must not set securityContext.privileged=true` };
};

const procMount: Check = (spec) => {
  const isBad = ({ procMount: type = 'Default' }: SecurityContext): boolean => type !== 'Default';
  const names = badContainers(spec, isBad);
  if (names.length === 0) return undefined;
  const values = sorted(containersOf(spec).map(({ securityContext }) => securityContext?.procMount ?? 'Default'));
  const bad = quoted(values.filter((value) => value !== 'Default'));
  return {
    reason: 'procMount',
    detail: `${shown('container', names)} must not set securityContext.procMount to ${bad}`,
  };
};

const seLinuxOptions: Check = (spec) => {
  type Options = SecurityContext['seLinuxOptions'];
  const isBad = ({ type = '', user = '', role = '' }: NonNullable<Options> = {}): boolean =>
    !safeSeLinuxTypes.has(type) || user !== '' || role !== '';
  const pod = isBad(spec.securityContext?.seLinuxOptions);
  const containers = badContainers(spec, (context) => isBad(context.seLinuxOptions));
  const who = setters(pod, containers);
  if (who === '') return undefined;
  const all = [spec, ...containersOf(spec)].map(({ securityContext }) => securityContext?.seLinuxOptions ?? {});
  const types = sorted(all.map(({ type = '' }) => type).filter((type) => !safeSeLinuxTypes.has(type)));
  const told = [
    ...(types.length > 0 ? [`${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`] : []),
    ...(all.some(({ user = '' }) => user !== '') ? ['user may not be set'] : []),
    ...(all.some(({ role = '' }) => role !== '') ? ['role may not be set'] : []),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${told.join('; ')}`,
  };
};

export const baselineSeccomp: Check = (spec) => {
  const isBad = (profile: SecurityContext['seccompProfile']): boolean => profile?.type === 'Unconfined';
  const pod = isBad(spec.securityContext?.seccompProfile);
  const who = setters(
    pod,
    badContainers(spec, ({ seccompProfile }) => isBad(seccompProfile)),
  );
  if (who === '') return undefined;
  const detail = `${who} must not set securityContext.seccompProfile.type to "Unconfined"`;
  return { reason: 'seccompProfile', detail };
};

const sysctls: Check = ({ securityContext }) => {
  const names = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.has(name));
  return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
};

const windowsHostProcess: Check = (spec) => {
  const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const who = setters(
    pod,
    badContainers(spec, ({ windowsOptions }) => windowsOptions?.hostProcess === true),
  );
  const detail = `${who} must not set securityContext.windowsOptions.hostProcess=true`;
  return who === '' ? undefined : { reason: 'hostProcess', detail };
};

export const baseline: readonly Check[] = [
  appArmor,
  baselineCapabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  privileged,
  procMount,
  seLinuxOptions,
  baselineSeccomp,
  sysctls,
  windowsHostProcess,
];
