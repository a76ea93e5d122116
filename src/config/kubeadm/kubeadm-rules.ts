// kubeadm's own kinds, field by field. Source: kubeadm.k8s.io/v1beta4 and v1beta3 API reference.

import { servedRelease } from '../cluster.ts';
import { apiServerExtraArgs, controllerManagerExtraArgs, kubeletExtraArgs, schedulerExtraArgs } from './extra-args.ts';
import { isRecord, type Rule, type Target } from './translate.ts';

const oneMaster = 'more than one master is not supported yet';
const noImages = 'the control plane does not come as images';
const ownWaits = "k8ts's waits have bounds of their own and say what they wait for";
const noPods = 'the control plane is a service of the machine, not a pod';
const noEtcd = 'state is kept in SQLite, not in etcd';

const nodeRegistration: readonly Rule[] = [
  { path: 'nodeRegistration.name', to: 'node.name' },
  { path: 'nodeRegistration.criSocket', to: 'node.criSocket' },
  { path: 'nodeRegistration.taints', to: 'node.taints', emptyCounts: true, as: (value) => taintsOf(value) },
  { path: 'nodeRegistration.kubeletExtraArgs', with: kubeletExtraArgs },
  {
    path: 'nodeRegistration.ignorePreflightErrors',
    with: (value, into) => {
      for (const id of listOf(value, into)) into.add('ignorePreflightErrors', id);
    },
  },
  { path: 'nodeRegistration.imagePullPolicy', ignored: noImages },
  { path: 'nodeRegistration.imagePullSerial', ignored: noImages },
];

const everyRun: readonly Rule[] = [
  { path: 'dryRun', same: [false], otherwise: 'pass --dry-run on the command line' },
  { path: 'skipPhases', to: 'skipPhases' },
  { path: 'patches', refused: noPods },
  { path: 'timeouts', ignored: ownWaits },
];

export const initRules: readonly Rule[] = [
  ...nodeRegistration,
  ...everyRun,
  { path: 'bootstrapTokens', with: (value, into) => setTokens(value, into) },
  { path: 'localAPIEndpoint.advertiseAddress', to: 'apiServer.advertiseAddress' },
  { path: 'localAPIEndpoint.bindPort', to: 'apiServer.bindPort' },
  { path: 'certificateKey', refused: oneMaster },
];

export const clusterRules: readonly Rule[] = [
  { path: 'clusterName', to: 'clusterName' },
  { path: 'controlPlaneEndpoint', to: 'controlPlaneEndpoint' },
  { path: 'networking.serviceSubnet', to: 'networking.serviceCidr' },
  { path: 'networking.podSubnet', to: 'networking.podCidr' },
  { path: 'networking.dnsDomain', to: 'networking.dnsDomain' },
  { path: 'kubernetesVersion', with: (value, into) => requireVersion(value, into) },
  { path: 'etcd.external', refused: 'etcd is not supported yet; state is kept in SQLite on one master' },
  { path: 'etcd.local', ignored: noEtcd },
  { path: 'apiServer.certSANs', to: 'apiServer.certSans' },
  { path: 'apiServer.extraArgs', with: apiServerExtraArgs },
  { path: 'apiServer.extraVolumes', with: (value, into) => requireSamePaths(value, into) },
  { path: 'apiServer.extraEnvs', refused: 'the server starts with an environment of its own' },
  { path: 'apiServer.timeoutForControlPlane', ignored: ownWaits },
  { path: 'controllerManager.extraArgs', with: controllerManagerExtraArgs },
  { path: 'controllerManager.extraVolumes', ignored: noPods },
  { path: 'controllerManager.extraEnvs', refused: 'the server starts with an environment of its own' },
  { path: 'scheduler.extraArgs', with: schedulerExtraArgs },
  { path: 'scheduler.extraVolumes', ignored: noPods },
  { path: 'scheduler.extraEnvs', refused: 'the server starts with an environment of its own' },
  { path: 'dns.disabled', to: 'networking.dns', as: (value) => (value === true ? 'off' : 'on') },
  { path: 'dns.type', same: ['CoreDNS'], otherwise: "each node's agent answers as cluster DNS" },
  { path: 'dns.imageRepository', ignored: "each node's agent answers as cluster DNS; there is no image" },
  { path: 'dns.imageTag', ignored: "each node's agent answers as cluster DNS; there is no image" },
  { path: 'proxy.disabled', to: 'networking.serviceProxy', as: (value) => (value === true ? 'off' : 'nftables') },
  {
    path: 'certificatesDir',
    same: ['/etc/kubernetes/pki', '/etc/kubernetes/pki/'],
    otherwise: 'certificates are kept in /etc/kubernetes/pki; put a CA of your own there',
  },
  { path: 'imageRepository', ignored: noImages },
  { path: 'encryptionAlgorithm', to: 'certificates.algorithm' },
  { path: 'certificateValidityPeriod', to: 'certificates.lifetime' },
  { path: 'caCertificateValidityPeriod', to: 'certificates.caLifetime' },
  { path: 'featureGates', with: (value, into) => refuseGates(value, into) },
];

export const joinRules: readonly Rule[] = [
  ...nodeRegistration,
  ...everyRun,
  { path: 'discovery.bootstrapToken.token', to: 'discovery.token' },
  { path: 'discovery.bootstrapToken.apiServerEndpoint', to: 'discovery.endpoints', as: (value) => [value] },
  { path: 'discovery.bootstrapToken.caCertHashes', to: 'discovery.caCertHashes' },
  { path: 'discovery.bootstrapToken.unsafeSkipCAVerification', to: 'discovery.unsafeSkipCaVerification' },
  { path: 'discovery.file.kubeConfigPath', to: 'discovery.file' },
  { path: 'discovery.tlsBootstrapToken', to: 'discovery.tlsBootstrapToken' },
  { path: 'discovery.timeout', ignored: ownWaits },
  {
    path: 'caCertPath',
    same: ['/etc/kubernetes/pki/ca.crt'],
    otherwise: "the cluster's CA is kept in /etc/kubernetes/pki/ca.crt",
  },
  { path: 'controlPlane', refused: oneMaster },
];

function taintsOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((taint: unknown) => {
    if (!isRecord(taint)) return taint;
    const { timeAdded: _timeAdded, value: text, ...rest } = taint;
    return text === undefined || text === '' ? rest : { ...rest, value: text };
  });
}

function setTokens(value: unknown, into: Target): void {
  const tokens = listOf(value, into).map((given: unknown, at) => {
    if (!isRecord(given)) return given;
    const { expires, ...rest } = given;
    if (expires !== undefined && expires !== null) into.refuse('give a ttl instead', `.${at}.expires`);
    return { ...rest, ...(rest['ttl'] === '0s' ? { ttl: '0' } : {}) };
  });
  into.set('bootstrapTokens', tokens);
}

/** A label such as stable-1 asks for whatever is newest: that is what there is. */
function requireVersion(value: unknown, into: Target): void {
  const why = whyNotServed(String(value));
  if (why !== undefined) into.refuse(why);
}

/** Why k8ts cannot be what `version` asks for; undefined when it is. */
export function whyNotServed(version: string): string | undefined {
  if (/^(stable|latest|ci\/|release\/)/.test(version)) return undefined;
  const release = /^v?(\d+\.\d+)(\.|$)/.exec(version)?.[1];
  return release === servedRelease ? undefined : `is ${version}; k8ts serves the API of Kubernetes ${servedRelease}`;
}

/** The API server runs on the machine itself, so a volume is not needed where both paths are the same. */
function requireSamePaths(value: unknown, into: Target): void {
  for (const [at, volume] of listOf(value, into).entries()) {
    const { hostPath, mountPath }: Readonly<Record<string, unknown>> = isRecord(volume) ? volume : {};
    if (hostPath !== undefined && hostPath === mountPath) continue;
    const why = `the API server runs on the machine itself: name ${hostPath} in its settings instead of ${mountPath}`;
    into.refuse(why, `.${at}`);
  }
}

function listOf(value: unknown, into: Target): readonly unknown[] {
  if (Array.isArray(value)) return value;
  into.refuse('must be a list');
  return [];
}

function refuseGates(value: unknown, into: Target): void {
  for (const [name, on] of Object.entries(isRecord(value) ? value : {})) {
    if (on !== false) into.refuse('k8ts has no feature gates', `.${name}`);
  }
}
