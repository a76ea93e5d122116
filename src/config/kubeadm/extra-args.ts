// extraArgs: the flags that upstream's programs would have been started with. v1beta4 writes a list of name and value, in
// which a name may be repeated; v1beta3 a map.

import { CodedError } from '../../base/index.ts';
import { apiServerFlags, apiServerSettingsOf } from '../api-server.ts';
import { isRecord, type Target } from './translate.ts';

type Args = Readonly<Record<string, readonly string[]>>;

/** What is to be done about one flag: as in a Rule, with the value as text. */
type ArgRule =
  | { readonly to: string; readonly as?: (value: string) => unknown }
  | { readonly same: readonly string[]; readonly otherwise: string }
  | { readonly ignored: string }
  | { readonly with: (value: string, into: Target) => void };

const logs = 'k8ts logs in a format of its own, at a level of its own';
const noPort = 'it is a thread of the server process and opens no port';

const apiServerArgs: Readonly<Record<string, ArgRule>> = {
  'advertise-address': { to: 'apiServer.advertiseAddress' },
  'secure-port': { to: 'apiServer.bindPort', as: Number },
  'service-cluster-ip-range': { to: 'networking.serviceCidr' },
  'bind-address': { same: ['0.0.0.0'], otherwise: 'the API server listens on all addresses' },
  'authorization-mode': { same: ['Node,RBAC', 'RBAC,Node'], otherwise: 'requests are judged by Node and RBAC' },
  'allow-privileged': {
    same: ['true'],
    otherwise: 'privileged pods are allowed; Pod Security admission restrains them',
  },
  'enable-aggregator-routing': { ignored: 'aggregated servers are reached by their endpoints anyway' },
  'enable-bootstrap-token-auth': { same: ['true'], otherwise: 'joining needs bootstrap tokens' },
  'audit-log-format': { same: ['json'], otherwise: 'the audit log holds JSON lines' },
  'audit-log-mode': { ignored: 'the audit log is written in batches that never hold a request up' },
  profiling: { ignored: 'there is no profiling endpoint' },
  'logging-format': { ignored: logs },
  v: { ignored: logs },
};

const controllerManagerArgs: Readonly<Record<string, ArgRule>> = {
  'allocate-node-cidrs': { same: ['true'], otherwise: 'each node gets a range of its own' },
  'cluster-cidr': { to: 'networking.podCidr' },
  'service-cluster-ip-range': { to: 'networking.serviceCidr' },
  'node-cidr-mask-size': { same: ['24'], otherwise: 'each node gets a /24' },
  'node-cidr-mask-size-ipv4': { same: ['24'], otherwise: 'each node gets a /24' },
  'cluster-name': { to: 'clusterName' },
  'leader-elect': { ignored: 'there is one master' },
  'bind-address': { ignored: noPort },
  profiling: { ignored: noPort },
  'logging-format': { ignored: logs },
  v: { ignored: logs },
};

const schedulerArgs: Readonly<Record<string, ArgRule>> = {
  'leader-elect': { ignored: 'there is one master' },
  'bind-address': { ignored: noPort },
  profiling: { ignored: noPort },
  'logging-format': { ignored: logs },
  v: { ignored: logs },
};

const kubeletArgs: Readonly<Record<string, ArgRule>> = {
  'node-ip': { to: 'node.ip' },
  'node-labels': { to: 'node.labels', as: (value) => Object.fromEntries(pairs(value)) },
  'register-with-taints': { to: 'node.taints', as: (value) => value.split(',').map(taintOf) },
  'max-pods': { to: 'node.maxPods', as: Number },
  'hostname-override': { to: 'node.name' },
  'container-runtime-endpoint': { to: 'node.criSocket' },
  'fail-swap-on': { with: (value, into) => setSwap(value !== 'false', into) },
  'cgroup-driver': { ignored: 'the agent asks the container runtime for its cgroup driver' },
  'pod-infra-container-image': { ignored: "the container runtime's own setting (sandbox_image) counts" },
  'rotate-certificates': { same: ['true'], otherwise: 'certificates are always renewed' },
  'rotate-server-certificates': { same: ['true'], otherwise: 'certificates are always renewed' },
  'logging-format': { ignored: logs },
  v: { ignored: logs },
};

/** @returns what `with` of a Rule wants */
export const apiServerExtraArgs = (value: unknown, into: Target): void => {
  const { own, others } = split(readArgs(value, into));
  applyArgs(others, apiServerArgs, into);
  try {
    for (const [field, setting] of Object.entries(apiServerSettingsOf(own))) into.set(`apiServer.${field}`, setting);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    into.refuse(error.message);
  }
};
export const controllerManagerExtraArgs = (value: unknown, into: Target): void =>
  applyArgs(readArgs(value, into), controllerManagerArgs, into);
export const schedulerExtraArgs = (value: unknown, into: Target): void =>
  applyArgs(readArgs(value, into), schedulerArgs, into);
export const kubeletExtraArgs = (value: unknown, into: Target): void =>
  applyArgs(readArgs(value, into), kubeletArgs, into);

/** kubeadm's failSwapOn: false lets a node run with swap, which here is one check that may fail. */
export function setSwap(fails: boolean, into: Target): void {
  if (!fails) into.add('ignorePreflightErrors', 'Swap');
}

function applyArgs(args: Args, table: Readonly<Record<string, ArgRule>>, into: Target): void {
  for (const [name, values] of Object.entries(args)) {
    const rule = table[name];
    const value = values.join(',');
    const below = `.${name}`;
    if (rule === undefined) into.refuse('k8ts has no such setting', below);
    else if ('to' in rule) into.set(rule.to, rule.as === undefined ? value : rule.as(value));
    else if ('ignored' in rule) into.warn(rule.ignored, below);
    else if ('with' in rule) rule.with(value, into);
    else if (!rule.same.includes(value)) into.refuse(`is ${value}; ${rule.otherwise}`, below);
  }
}

/** Flags that the API server's own table knows, and the others. */
function split(args: Args): { readonly own: Args; readonly others: Args } {
  const known: readonly string[] = apiServerFlags.map(({ flag }) => flag);
  const part = (wanted: boolean): Args =>
    Object.fromEntries(Object.entries(args).filter(([name]) => known.includes(name) === wanted));
  return { own: part(true), others: part(false) };
}

function readArgs(value: unknown, into: Target): Args {
  const args: Record<string, string[]> = {};
  const pairsOf: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((item) => (isRecord(item) ? ([item['name'], item['value']] as const) : ([item, undefined] as const)))
    : Object.entries(isRecord(value) ? value : {});
  if (!Array.isArray(value) && !isRecord(value)) into.refuse('must be a list of name and value');
  for (const [name, text] of pairsOf) {
    if (typeof name !== 'string' || !/^(string|number|boolean)$/.test(typeof text)) {
      into.refuse(`${JSON.stringify(name)} must have a name and a value`);
    } else {
      args[name] ??= [];
      args[name].push(String(text));
    }
  }
  return args;
}

function pairs(text: string): (readonly [string, string])[] {
  return text.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  });
}

/** key=value:effect; the value may be left out. */
function taintOf(text: string): object {
  const [, key = text, value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text) ?? [];
  return { key, effect, ...(value === undefined || value === '' ? {} : { value }) };
}
