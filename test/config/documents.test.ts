// Configuration files: ours and kubeadm's, in any mixture, and what each field of them comes to.

import t from 'tap';
import { gitVersion } from '../../src/apiserver/discovery/version.ts';
import {
  clusterDefaults,
  clusterDocument,
  emptyClusterDocument,
  emptyJoinDocument,
  joinDocument,
  printDocument,
  readInitFile,
  readJoinFile,
  readWholeFile,
  whyNotServed,
} from '../../src/config/index.ts';

/** What `kubeadm config print init-defaults --component-configs KubeletConfiguration,KubeProxyConfiguration` writes. */
const kubeadmDefaults = `
apiVersion: kubeadm.k8s.io/v1beta4
bootstrapTokens:
- groups:
  - system:bootstrappers:kubeadm:default-node-token
  token: abcdef.0123456789abcdef
  ttl: 24h0m0s
  usages:
  - signing
  - authentication
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 1.2.3.4
  bindPort: 6443
nodeRegistration:
  criSocket: unix:///var/run/containerd/containerd.sock
  imagePullPolicy: IfNotPresent
  imagePullSerial: true
  name: node
  taints: null
timeouts:
  controlPlaneComponentHealthCheck: 4m0s
  discovery: 5m0s
---
apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controllerManager: {}
dns: {}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: 1.35.0
networking:
  dnsDomain: cluster.local
  serviceSubnet: 10.96.0.0/12
proxy: {}
scheduler: {}
---
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous: {enabled: false}
  webhook: {cacheTTL: 0s, enabled: true}
  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
authorization:
  mode: Webhook
  webhook: {cacheAuthorizedTTL: 0s, cacheUnauthorizedTTL: 0s}
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options: {json: {infoBufferSize: "0"}, text: {infoBufferSize: "0"}}
  verbosity: 0
memorySwap: {}
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
syncFrequency: 0s
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection: {acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, qps: 0}
clusterCIDR: ""
conntrack: {maxPerCore: null, min: null, tcpBeLiberal: false}
detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}
iptables: {masqueradeAll: false, syncPeriod: 0s}
kind: KubeProxyConfiguration
mode: ""
nodePortAddresses: null
winkernel: {enableDSR: false, rootHnsEndpointName: ""}
`;

t.test("kubeadm's printed defaults are accepted whole, and every field without effect is named", async (t) => {
  const { document, warnings } = readInitFile(kubeadmDefaults, 'kubeadm.yaml');
  t.strictSame(document, {
    ...emptyClusterDocument,
    bootstrapTokens: [
      {
        groups: ['system:bootstrappers:kubeadm:default-node-token'],
        token: 'abcdef.0123456789abcdef',
        ttl: '24h0m0s',
        usages: ['signing', 'authentication'],
      },
    ],
    apiServer: { advertiseAddress: '1.2.3.4', bindPort: 6443 },
    node: { criSocket: 'unix:///var/run/containerd/containerd.sock', name: 'node' },
    certificates: { algorithm: 'RSA-2048', lifetime: '8760h0m0s', caLifetime: '87600h0m0s' },
    clusterName: 'kubernetes',
    networking: { dnsDomain: 'cluster.local', serviceCidr: '10.96.0.0/12', clusterDns: '10.96.0.10' },
  });
  t.strictSame(
    warnings.map((line) => line.replace(/ has no effect: .*/, '')),
    [
      'InitConfiguration: nodeRegistration.imagePullPolicy',
      'InitConfiguration: nodeRegistration.imagePullSerial',
      'InitConfiguration: timeouts',
      'ClusterConfiguration: etcd.local',
      'ClusterConfiguration: imageRepository',
      'KubeletConfiguration: cgroupDriver',
      'KubeletConfiguration: healthzBindAddress',
      'KubeletConfiguration: healthzPort',
      'KubeletConfiguration: staticPodPath',
      'KubeProxyConfiguration: clientConnection',
    ],
  );
});

const kubeadm = (kind: string, body: string, version = 'v1beta4'): string =>
  `apiVersion: kubeadm.k8s.io/${version}\nkind: ${kind}\n${body}\n`;

interface Carried {
  readonly name: string;
  readonly yaml: string;
  readonly want: object;
}

const carried: readonly Carried[] = [
  {
    name: 'extraArgs of v1beta4, with a repeated flag',
    yaml: kubeadm(
      'ClusterConfiguration',
      `apiServer:
  extraArgs:
  - {name: oidc-issuer-url, value: https://id.example.org}
  - {name: oidc-client-id, value: k8ts}
  - {name: oidc-required-claim, value: a=1}
  - {name: oidc-required-claim, value: b=2}
  - {name: audit-policy-file, value: /etc/audit.yaml}
  - {name: audit-log-path, value: /var/log/audit.log}
  - {name: token-auth-file, value: /etc/tokens.csv}
  - {name: authorization-mode, value: "Node,RBAC"}
  extraVolumes:
  - {name: audit, hostPath: /etc/audit.yaml, mountPath: /etc/audit.yaml, readOnly: true}
  certSANs: [api.example.org]`,
    ),
    want: {
      apiServer: {
        certSans: ['api.example.org'],
        oidc: { issuerUrl: 'https://id.example.org', clientId: 'k8ts', requiredClaims: { a: '1', b: '2' } },
        audit: { policyFile: '/etc/audit.yaml', logPath: '/var/log/audit.log' },
        tokenAuthFile: '/etc/tokens.csv',
      },
    },
  },
  {
    name: 'extraArgs of v1beta3',
    yaml: kubeadm(
      'InitConfiguration',
      `nodeRegistration:
  kubeletExtraArgs: {node-ip: 192.0.2.7, node-labels: "a=1,b=", register-with-taints: "x=y:NoSchedule,z:NoExecute", max-pods: "50"}`,
      'v1beta3',
    ),
    want: {
      node: {
        ip: '192.0.2.7',
        labels: { a: '1', b: '' },
        taints: [
          { key: 'x', value: 'y', effect: 'NoSchedule' },
          { key: 'z', effect: 'NoExecute' },
        ],
        maxPods: 50,
      },
    },
  },
  {
    name: 'an empty list of taints means none',
    yaml: kubeadm('InitConfiguration', 'nodeRegistration: {taints: []}'),
    want: { node: { taints: [] } },
  },
  {
    name: 'swap, as the kubelet has it',
    yaml: `${kubeadm('InitConfiguration', 'nodeRegistration: {ignorePreflightErrors: [Mem]}')}---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfailSwapOn: false\nmaxPods: 60\n`,
    want: { ignorePreflightErrors: ['Mem', 'Swap'], kubelet: { maxPods: 60 } },
  },
  {
    name: 'proxy and DNS of somebody else',
    yaml: kubeadm('ClusterConfiguration', 'proxy: {disabled: true}\ndns: {disabled: true}'),
    want: { networking: { serviceProxy: 'off', dns: 'off' } },
  },
  {
    name: 'a token for ever',
    yaml: kubeadm('InitConfiguration', 'bootstrapTokens: [{token: abcdef.0123456789abcdef, ttl: 0s}]'),
    want: { bootstrapTokens: [{ token: 'abcdef.0123456789abcdef', ttl: '0' }] },
  },
  {
    name: 'phases',
    yaml: kubeadm('InitConfiguration', 'skipPhases: [addon/kube-proxy]'),
    want: { skipPhases: ['addon/kube-proxy'] },
  },
];
for (const { name, yaml, want } of carried) {
  t.test(`carried over: ${name}`, async (t) => {
    t.strictSame(readInitFile(yaml, 'f').document, { ...emptyClusterDocument, ...want });
  });
}

const refused: readonly {
  readonly name: string;
  readonly yaml: string;
  readonly want: RegExp;
  readonly code?: string;
}[] = [
  {
    name: 'external etcd',
    yaml: kubeadm('ClusterConfiguration', 'etcd: {external: {endpoints: ["https://192.0.2.1:2379"]}}'),
    want: /ClusterConfiguration: etcd.external: etcd is not supported yet/,
  },
  {
    name: 'another release',
    yaml: kubeadm('ClusterConfiguration', 'kubernetesVersion: v1.29.3'),
    want: /kubernetesVersion: is v1.29.3; k8ts serves the API of Kubernetes 1.35/,
  },
  {
    name: 'a flag of the API server',
    yaml: kubeadm('ClusterConfiguration', 'apiServer: {extraArgs: [{name: etcd-servers, value: x}]}'),
    want: /apiServer.extraArgs.etcd-servers: k8ts has no such setting/,
  },
  {
    name: 'a flag with a wrong value',
    yaml: kubeadm(
      'ClusterConfiguration',
      'apiServer: {extraArgs: [{name: oidc-issuer-url, value: "http://x"}, {name: oidc-client-id, value: a}]}',
    ),
    want: /apiServer.extraArgs: the API server's flags cannot be used:\n\s+oidc.issuerUrl: must be an https URL/,
  },
  {
    name: 'a volume under another path',
    yaml: kubeadm('ClusterConfiguration', 'apiServer: {extraVolumes: [{hostPath: /a, mountPath: /b}]}'),
    want: /apiServer.extraVolumes.0: .* name \/a in its settings instead of \/b/,
  },
  {
    name: 'an unknown field, by the top of what is unknown',
    yaml: kubeadm('InitConfiguration', 'nodeRegistration: {nodename: {x: 1}}'),
    want: /InitConfiguration: nodeRegistration.nodename: k8ts does not know this field/,
  },
  {
    name: 'a text where fields belong',
    yaml: kubeadm('InitConfiguration', 'nodeRegistration: n1'),
    want: /nodeRegistration: must hold fields of its own/,
  },
  {
    name: 'two documents that disagree',
    yaml: `${kubeadm('ClusterConfiguration', 'networking: {dnsDomain: a.test}')}---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDomain: b.test\n`,
    want: /KubeletConfiguration: clusterDomain: says "b.test", but ClusterConfiguration: networking.dnsDomain has said "a.test"/,
  },
  {
    name: 'feature gates, patches, environment and pinning, all in one answer',
    yaml: `${kubeadm('ClusterConfiguration', 'featureGates: {X: true, Y: false}\napiServer: {extraEnvs: [{name: A, value: b}]}')}---\n${kubeadm('InitConfiguration', 'patches: {directory: /p}\ncertificateKey: abc\nbootstrapTokens: [{token: abcdef.0123456789abcdef, expires: "2030-01-01T00:00:00Z"}]')}---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncpuManagerPolicy: static\nclusterDNS: [10.96.0.10, 10.96.0.11]\n`,
    want: /featureGates.X: [\s\S]*apiServer.extraEnvs: [\s\S]*patches: [\s\S]*certificateKey: |cpuManagerPolicy: /,
  },
  {
    name: 'a value that our own document refuses',
    yaml: kubeadm('ClusterConfiguration', 'networking: {podSubnet: "10.244.0.0/16,fd00::/48"}'),
    want: /as a document of k8ts, cannot be used:\n\s+networking.podCidr: /,
    code: 'CONFIG_INVALID',
  },
  {
    name: 'a kind twice',
    yaml: `${kubeadm('InitConfiguration', '')}---\n${kubeadm('InitConfiguration', '')}`,
    want: /more than once: InitConfiguration, InitConfiguration/,
    code: 'CONFIG_AMBIGUOUS',
  },
  {
    name: 'ours and theirs',
    yaml: `${kubeadm('InitConfiguration', '')}---\napiVersion: k8ts.dev/v1\nkind: ClusterConfiguration\n`,
    want: /more than once/,
    code: 'CONFIG_AMBIGUOUS',
  },
  {
    name: 'an old version',
    yaml: kubeadm('InitConfiguration', '', 'v1beta1'),
    want: /k8ts reads kubeadm.k8s.io\/v1beta4 and kubeadm.k8s.io\/v1beta3/,
    code: 'CONFIG_VERSION',
  },
  { name: 'a Pod', yaml: 'apiVersion: v1\nkind: Pod\n', want: /holds v1 Pod/, code: 'CONFIG_KIND' },
  { name: 'a list', yaml: '- a\n', want: /without apiVersion and kind/, code: 'CONFIG_KIND' },
  { name: 'an empty file', yaml: '---\n', want: /holds no document/, code: 'CONFIG_UNREADABLE' },
  {
    name: 'only what is for join',
    yaml: kubeadm('JoinConfiguration', 'caCertPath: /x'),
    want: /holds nothing for k8ts init/,
    code: 'CONFIG_INVALID',
  },
];
for (const { name, yaml, want, code = 'CONFIG_UNSUPPORTED' } of refused) {
  t.test(`refused: ${name}`, async (t) => {
    t.throws(() => readInitFile(yaml, 'f.yaml'), { code, message: want, exit: 'invalidInput' });
  });
}

t.test('a whole file of refusals names each of them', async (t) => {
  const yaml = `${kubeadm('ClusterConfiguration', 'featureGates: {X: true}\napiServer: {extraEnvs: [{name: A, value: b}]}')}---\n${kubeadm('InitConfiguration', 'patches: {directory: /p}\ncertificateKey: abc')}`;
  t.throws(() => readInitFile(yaml, 'f'), {
    message: /featureGates\.X: .*\n.*apiServer\.extraEnvs: .*\n.*patches: .*\n.*certificateKey: /,
  });
});

t.test("kubeadm's JoinConfiguration", async (t) => {
  const hash = `sha256:${'a'.repeat(64)}`;
  const yaml = kubeadm(
    'JoinConfiguration',
    `discovery:
  bootstrapToken: {token: abcdef.0123456789abcdef, apiServerEndpoint: "192.0.2.10:6443", caCertHashes: ["${hash}"]}
  tlsBootstrapToken: ghijkl.0123456789abcdef
caCertPath: /etc/kubernetes/pki/ca.crt
nodeRegistration: {name: n1, kubeletExtraArgs: [{name: node-ip, value: 192.0.2.20}]}`,
  );
  t.strictSame(readJoinFile(yaml, 'f').document, {
    ...emptyJoinDocument,
    discovery: {
      token: 'abcdef.0123456789abcdef',
      endpoints: ['192.0.2.10:6443'],
      caCertHashes: [hash],
      tlsBootstrapToken: 'ghijkl.0123456789abcdef',
    },
    node: { name: 'n1', ip: '192.0.2.20' },
  });
  t.throws(() => readJoinFile(kubeadm('JoinConfiguration', 'controlPlane: {certificateKey: x}'), 'f'), {
    code: 'CONFIG_UNSUPPORTED',
    message: /controlPlane: more than one master/,
  });
});

t.test('everything in one file: each command reads its own and names the rest', async (t) => {
  const all = `${kubeadmDefaults}---\n${kubeadm('JoinConfiguration', 'discovery: {file: {kubeConfigPath: /d.conf}}')}---\n${kubeadm('ResetConfiguration', 'force: true')}`;
  t.match(readInitFile(all, 'f').warnings.slice(-2), [
    'JoinConfiguration is not read by k8ts init',
    'ResetConfiguration is not read by k8ts init',
  ]);
  t.match(readJoinFile(all, 'f').document, { discovery: { file: '/d.conf' } });
  const whole = readWholeFile(all, 'f');
  t.strictSame(
    whole.document.map(({ kind }) => kind),
    ['ClusterConfiguration', 'JoinConfiguration'],
  );
  t.match(whole.warnings.at(-1), /ResetConfiguration is not carried over/);
  t.equal(whole.warnings.filter((line) => line.includes('is not read by')).length, 0);
});

for (const [name, schema, document] of [
  ['init', clusterDocument, { ...emptyClusterDocument, ...clusterDefaults }],
  ['join', joinDocument, emptyJoinDocument],
] as const) {
  t.test(`the printed document for ${name}: every field has words, and it can be read back`, async (t) => {
    const printed = printDocument(schema, document, { withDocs: true });
    const lines = printed.split('\n');
    const bare = lines.filter((line) => /^[\s#]*#\s*$/.test(line));
    t.strictSame(bare, [], 'no field is without words');
    const read = name === 'init' ? readInitFile : readJoinFile;
    t.strictSame(read(printed, 'printed').document, document);
    t.strictSame(read(printDocument(schema, document, { withDocs: false }), 'bare').document, document);
  });
}

t.test('the words say the defaults that count', async (t) => {
  const printed = printDocument(clusterDocument, { ...emptyClusterDocument, ...clusterDefaults }, { withDocs: true });
  const pairs = [...printed.matchAll(/# .*Default (\S+?)[.,]?(?: .*)?\n\s*(\w+): '?([^'\n]+)/g)];
  t.ok(pairs.length > 8);
  for (const [, said, field, value] of pairs) t.equal(said, value, `default of ${field}`);
});

t.test('the release that is asked for', async (t) => {
  t.match(gitVersion, /^v1\.35\./, 'what the API server says of itself');
  for (const version of ['v1.35.0', '1.35', 'stable-1', 'latest']) t.equal(whyNotServed(version), undefined, version);
  for (const version of ['v1.34.0', '1.350', 'x']) t.match(whyNotServed(version), /k8ts serves/, version);
});
