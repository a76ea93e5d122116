import t from 'tap';
import { containerEnv, type EnvSources, expand } from '../../src/agent/pods/env.ts';
import type { Container } from '../../src/api/index.ts';
import { container, pod } from './builders.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const sources: EnvSources = {
  configMap: (name) => (name === 'cm' ? { data: { a: 'from map', b: '2' } } : undefined),
  secret: (name) => (name === 'sec' ? { data: { key: base64('geheim') } } : undefined),
  services: [
    {
      metadata: { name: 'my-db' },
      spec: {
        clusterIP: '10.96.0.5',
        ports: [
          { port: 5432, name: 'pg' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    { metadata: { name: 'headless' }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } },
  ],
  podIps: ['10.0.0.2', 'fd00::2'],
  hostIps: ['192.0.2.1'],
  allocatable: { cpu: '4', memory: '8Gi' },
};

const thePod = pod(
  { nodeName: 'n1', serviceAccountName: 'sa' },
  { metadata: { name: 'p', namespace: 'ns', uid: 'u1', labels: { app: 'web' }, annotations: { 'x/y': 'z' } } },
);

function envOf(more: Partial<Container>): Record<string, string> {
  const env = containerEnv(thePod, container('main', more), sources);
  return Object.fromEntries(env.map(({ key, value }) => [key, value]));
}

t.test('$(NAME) expansion', async (t) => {
  const known = (name: string): string | undefined => ({ A: '1', B: '$(A)' })[name];
  const cases = [
    { given: 'x$(A)y', want: 'x1y' },
    { given: '$(UNKNOWN)', want: '$(UNKNOWN)' },
    { given: '$$(A)', want: '$(A)' },
    { given: '$$$(A)', want: '$1' },
    { given: '$A and $', want: '$A and $' },
    { given: '$(A', want: '$(A' },
    { given: '$(B)', want: '$(A)' },
  ];
  for (const { given, want } of cases) t.equal(expand(given, known), want, given);
});

t.test('values from everywhere', async (t) => {
  const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
  const resource = (name: string, divisor?: string) => ({
    valueFrom: { resourceFieldRef: { resource: name, ...(divisor === undefined ? {} : { divisor }) } },
  });
  t.match(
    envOf({
      resources: { limits: { memory: '64Mi' }, requests: { cpu: '250m' } },
      envFrom: [
        { prefix: 'P_', configMapRef: { name: 'cm' } },
        { secretRef: { name: 'sec' } },
        { configMapRef: { name: 'no', optional: true } },
      ],
      env: [
        { name: 'ONE', value: '1' },
        { name: 'TWO', value: '$(ONE)$(ONE) at $(MY_DB_SERVICE_HOST)' },
        { name: 'MAP', valueFrom: { configMapKeyRef: { name: 'cm', key: 'a' } } },
        { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'sec', key: 'key' } } },
        { name: 'OPTIONAL', valueFrom: { secretKeyRef: { name: 'sec', key: 'none', optional: true } } },
        { name: 'POD', ...field('metadata.name') },
        { name: 'LABEL', ...field("metadata.labels['app']") },
        { name: 'ANNOTATION', ...field("metadata.annotations['x/y']") },
        { name: 'NODE', ...field('spec.nodeName') },
        { name: 'IPS', ...field('status.podIPs') },
        { name: 'HOST', ...field('status.hostIP') },
        { name: 'MEM', ...resource('limits.memory', '1Mi') },
        { name: 'CPU', ...resource('requests.cpu', '1m') },
        { name: 'CPUS', ...resource('limits.cpu') },
      ],
    }),
    {
      P_a: 'from map',
      P_b: '2',
      key: 'geheim',
      TWO: '11 at 10.96.0.5',
      MAP: 'from map',
      SECRET: 'geheim',
      OPTIONAL: undefined,
      POD: 'p',
      LABEL: 'web',
      ANNOTATION: 'z',
      NODE: 'n1',
      IPS: '10.0.0.2,fd00::2',
      HOST: '192.0.2.1',
      MEM: '64',
      CPU: '250',
      CPUS: '4',
    },
  );
});

t.test('Services as variables; own values win over them', async (t) => {
  const env = envOf({ env: [{ name: 'MY_DB_PORT', value: 'mine' }] });
  t.match(env, {
    MY_DB_SERVICE_HOST: '10.96.0.5',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_PG: '5432',
    MY_DB_PORT: 'mine',
    MY_DB_PORT_5432_TCP: 'tcp://10.96.0.5:5432',
    MY_DB_PORT_53_UDP_PROTO: 'udp',
  });
  t.notOk(Object.keys(env).some((key) => key.startsWith('HEADLESS')));
});

t.test('what is referred to and not there', async (t) => {
  const cases: readonly { readonly given: Partial<Container>; readonly want: string }[] = [
    { given: { envFrom: [{ configMapRef: { name: 'no' } }] }, want: 'configmap "no" not found' },
    {
      given: { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] },
      want: 'secret "no" not found',
    },
    {
      given: { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }] },
      want: "couldn't find key k in ConfigMap ns/cm",
    },
    {
      given: { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'sec', key: 'k' } } }] },
      want: "couldn't find key k in Secret ns/sec",
    },
  ];
  for (const { given, want } of cases) t.throws(() => envOf(given), { name: 'ContainerConfigError', message: want });
});
