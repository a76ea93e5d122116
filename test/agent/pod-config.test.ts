import t from 'tap';
import { agentPaths } from '../../src/agent/paths.ts';
import { containerConfig } from '../../src/agent/pods/container-config.ts';
import { hostsFile, parseResolvConf, podDns, podHostname } from '../../src/agent/pods/dns.ts';
import { whyUnfit } from '../../src/agent/pods/fit.ts';
import { containerResources, podCgroup, podLimits, podRequests } from '../../src/agent/pods/resources.ts';
import { sandboxConfig } from '../../src/agent/pods/sandbox-config.ts';
import { qosClassOf } from '../../src/api/index.ts';
import type { Image } from '../../src/cri/index.ts';
import { container, pod } from './builders.ts';

const image: Image = {
  id: 'sha256:1',
  repoTags: ['app:1'],
  repoDigests: [],
  size: 1,
  uid: undefined,
  username: '',
  pinned: false,
};
const limits = (cpu: string, memory: string) => ({ resources: { limits: { cpu, memory }, requests: { cpu, memory } } });
const kernel = { memoryBytes: 1e9, isUnified: false };
const parts = {
  restartCount: 0,
  image,
  env: [],
  mounts: [],
  kernel,
  targetId: undefined,
};

t.test('resolv.conf', async (t) => {
  const host = parseResolvConf('# x\nnameserver 8.8.8.8\nsearch lan example.org\noptions timeout:1 rotate\n');
  t.same(host, { servers: ['8.8.8.8'], searches: ['lan', 'example.org'], options: ['timeout:1', 'rotate'] });
  const cluster = { dns: '10.96.0.10', domain: 'cluster.local' };
  const own = ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];
  const cases = [
    {
      name: 'ClusterFirst',
      given: {},
      want: { servers: ['10.96.0.10'], searches: [...own, 'lan', 'example.org'], options: ['ndots:5'] },
    },
    { name: 'Default', given: { dnsPolicy: 'Default' }, want: host },
    { name: 'ClusterFirst in the host network', given: { hostNetwork: true }, want: host },
    {
      name: 'ClusterFirstWithHostNet',
      given: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      want: { servers: ['10.96.0.10'] },
    },
    {
      name: 'None with dnsConfig',
      given: {
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['1.1.1.1'],
          searches: ['a'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      want: { servers: ['1.1.1.1'], searches: ['a'], options: ['ndots:2', 'edns0'] },
    },
    {
      name: 'dnsConfig wins over the default option',
      given: { dnsConfig: { options: [{ name: 'ndots', value: '1' }] } },
      want: { options: ['ndots:1'] },
    },
  ];
  for (const { name, given, want } of cases) t.match(podDns(pod(given), cluster, host), want, name);
});

t.test('host name and hosts file', async (t) => {
  const web = pod({ hostname: 'web', subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] });
  const name = podHostname(web, 'cluster.local');
  t.same(name, { hostname: 'web', fqdn: 'web.sub.ns.svc.cluster.local' });
  const overridden = pod({ hostname: 'web', subdomain: 'sub', hostnameOverride: 'db.example' });
  t.same(podHostname(overridden, 'cluster.local'), { hostname: 'db.example', fqdn: undefined });
  const text = hostsFile(web, name, ['10.0.0.2'], '');
  t.match(text, '10.0.0.2\tweb.sub.ns.svc.cluster.local\tweb\n');
  t.match(text, '1.2.3.4\ta\tb\n');
  t.match(hostsFile(pod({ hostNetwork: true }), name, [], '9.9.9.9 own\n'), /host network.*\n9\.9\.9\.9 own\n/);
  t.equal(podHostname(pod({}, { metadata: { name: `${'x'.repeat(62)}-yyy` } }), 'd').hostname, 'x'.repeat(62));
});

t.test('quality of service, cgroups and limits', async (t) => {
  const cases = [
    { given: {}, want: 'BestEffort' },
    { given: { containers: [container('a', limits('1', '1Gi'))] }, want: 'Guaranteed' },
    {
      given: { containers: [container('a', { resources: { limits: { cpu: '1', memory: '1Gi' } } })] },
      want: 'Guaranteed',
    },
    { given: { containers: [container('a', limits('1', '1Gi')), container('b')] }, want: 'Burstable' },
    { given: { containers: [container('a', { resources: { requests: { cpu: '1' } } })] }, want: 'Burstable' },
  ];
  for (const { given, want } of cases) t.equal(qosClassOf(pod(given)), want);
  t.equal(podCgroup('a-b', 'Guaranteed', 'cgroupfs'), '/kubepods/poda-b');
  t.equal(podCgroup('a-b', 'Burstable', 'cgroupfs'), '/kubepods/burstable/poda-b');
  t.equal(podCgroup('a-b', 'BestEffort', 'systemd'), 'kubepods-besteffort-poda_b.slice');

  const guaranteed = pod({ containers: [container('a', limits('500m', '64Mi'))] });
  t.match(containerResources(guaranteed, guaranteed.spec?.containers[0] ?? container(), kernel), {
    cpuShares: 512,
    cpuPeriod: 100_000,
    cpuQuota: 50_000,
    memoryLimitInBytes: 64 * 1024 * 1024,
    oomScoreAdj: -997,
  });
  t.match(containerResources(pod(), container(), kernel), { cpuShares: 2, oomScoreAdj: 1000 });
  t.same(containerResources(pod(), container(), { ...kernel, isUnified: true }).unified, { 'memory.oom.group': '1' });
  t.same(podLimits(guaranteed), { shares: 512, quota: 50_000, memory: 64 * 1024 * 1024 });
  t.same(podLimits(pod({ containers: [container('a', limits('1', '1Gi')), container('b')] })), { shares: 1024 });

  const withInits = pod({
    containers: [container('a', limits('100m', '10Mi'))],
    initContainers: [
      container('side', { ...limits('50m', '5Mi'), restartPolicy: 'Always' }),
      container('big', limits('1', '1Mi')),
    ],
  });
  t.same(podRequests(withInits), { cpu: 1050, memory: 15 * 1024 * 1024 });
});

t.test('whether a pod fits', async (t) => {
  const room = {
    allocatable: { cpu: '1', memory: '100Mi' },
    maxPods: 2,
    labels: { disk: 'ssd' },
    others: [pod({ containers: [container('o', limits('600m', '1Mi'))] })],
  };
  const cases = [
    { name: 'it does', given: pod({ containers: [container('a', limits('400m', '1Mi'))] }), want: undefined },
    {
      name: 'too much CPU',
      given: pod({ containers: [container('a', limits('401m', '1Mi'))] }),
      want: { reason: 'OutOfcpu', message: /requested: 401, used: 600, capacity: 1000/ },
    },
    {
      name: 'too much memory',
      given: pod({ containers: [container('a', limits('1m', '1Gi'))] }),
      want: { reason: 'OutOfmemory' },
    },
    { name: 'another node was meant', given: pod({ nodeSelector: { disk: 'hdd' } }), want: { reason: 'NodeAffinity' } },
    {
      name: 'user namespaces',
      given: pod({ hostUsers: false }),
      want: { reason: 'UnsupportedFeature', message: /hostUsers/ },
    },
    {
      name: 'block devices',
      given: pod({ containers: [container('a', { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] })] }),
      want: { reason: 'UnsupportedFeature', message: /volumeDevices/ },
    },
  ];
  for (const { name, given, want } of cases) {
    if (want === undefined) t.equal(whyUnfit(given, room), undefined, name);
    else t.match(whyUnfit(given, room), want, name);
  }
  t.match(whyUnfit(pod(), { ...room, maxPods: 1 }), { reason: 'OutOfpods' });
  t.equal(whyUnfit(pod({ nodeSelector: { disk: 'hdd' } }), { ...room, labels: undefined }), undefined);
});

t.test('security context', async (t) => {
  const of = (more: object, ofPod: object = {}, ofImage: Partial<Image> = {}) =>
    containerConfig(pod({ securityContext: ofPod }), container('main', { securityContext: more }), {
      ...parts,
      image: { ...image, ...ofImage },
    }).linux?.securityContext;
  t.match(of({}, { runAsUser: 5, runAsGroup: 6, fsGroup: 7, supplementalGroups: [8] }), {
    runAsUser: { value: 5 },
    runAsGroup: { value: 6 },
    supplementalGroups: [7, 8],
    noNewPrivs: false,
    seccomp: { profileType: 'unconfined' },
  });
  t.match(of({ runAsUser: 1 }, { runAsUser: 5 }), { runAsUser: { value: 1 } }, 'the container wins');
  t.match(of({}, {}, { uid: { value: 33 } }), { runAsUser: { value: 33 } }, "the image's user");
  t.match(of({}, {}, { username: 'nginx' }), { runAsUsername: 'nginx' });
  t.match(
    of({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    }),
    {
      noNewPrivs: true,
      readonlyRootfs: true,
      capabilities: { dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'] },
    },
  );
  t.match(of({ privileged: true }), { privileged: true, maskedPaths: [] });
  t.match(of({ seccompProfile: { type: 'RuntimeDefault' } }), { seccomp: { profileType: 'runtimeDefault' } });
  t.throws(() => of({ runAsNonRoot: true }), { message: /image will run as root/ });
  t.throws(() => of({ runAsNonRoot: true, runAsUser: 0 }), { message: /non-root policy/ });
  t.throws(() => of({ runAsNonRoot: true }, {}, { username: 'nginx' }), { message: /non-numeric user \(nginx\)/ });
  t.match(of({ runAsNonRoot: true, runAsUser: 5 }), { runAsUser: { value: 5 } });
});

t.test('sandbox: names, ports, namespaces', async (t) => {
  const settings = {
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    hostDns: parseResolvConf(''),
    cgroupDriver: 'cgroupfs' as const,
    paths: agentPaths('/data'),
  };
  const ports = [
    { containerPort: 80, hostPort: 8080 },
    { containerPort: 53, protocol: 'UDP' },
  ];
  const web = pod({
    containers: [container('a', { ports })],
    hostPID: true,
    securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '5' }] },
  });
  t.match(sandboxConfig(web, 2, settings), {
    metadata: { name: 'p', namespace: 'ns', uid: 'u1', attempt: 2 },
    hostname: 'p',
    logDirectory: '/var/log/pods/ns_p_u1',
    portMappings: [{ protocol: 'TCP', containerPort: 80, hostPort: 8080 }],
    labels: { 'io.kubernetes.pod.uid': 'u1' },
    linux: {
      cgroupParent: '/kubepods/besteffort/podu1',
      sysctls: { 'net.core.somaxconn': '5' },
      securityContext: { namespaceOptions: { network: 'pod', pid: 'node', ipc: 'pod' } },
    },
  });
  const onHost = sandboxConfig(pod({ hostNetwork: true, containers: [container('a', { ports })] }), 0, settings);
  t.notOk('hostname' in onHost);
  t.same(onHost.portMappings, []);
});

t.test('command and arguments are expanded with the environment', async (t) => {
  const config = containerConfig(pod(), container('main', { command: ['run', '$(A)'], args: ['$(NO)', '$$(A)'] }), {
    ...parts,
    env: [{ key: 'A', value: '1' }],
  });
  t.same(config.command, ['run', '1']);
  t.same(config.args, ['$(NO)', '$(A)']);
  t.match(config, { logPath: 'main/0.log', labels: { 'io.kubernetes.container.name': 'main' } });
});
