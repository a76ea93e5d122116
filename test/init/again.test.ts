// Init that is cut off, and run again: after every phase, and between any two changes that it makes.

import t from 'tap';
import { createDryRun } from '../../src/commands/dry-run.ts';
import { type ClusterDocument, emptyClusterDocument, readInitFile, resolveInitConfig } from '../../src/config/index.ts';
import { createFakeHost, type Host, type Services } from '../../src/host/index.ts';
import { type InitContext, initPhases } from '../../src/init/index.ts';
import { createReporter, runPhases } from '../../src/workflow/index.ts';

const killed = new Error('killed');

/** A machine that outlives runs of init; a run ends as if killed before its nth change, counted over files and services. */
async function setup() {
  const machine = createFakeHost({
    sysctls: {
      'net.ipv4.ip_forward': '0',
      'net.bridge.bridge-nf-call-iptables': '0',
      'net.bridge.bridge-nf-call-ip6tables': '1',
    },
    files: { '/proc/filesystems': 'nodev\toverlay\n', '/proc/sys/net/bridge/x': '', '/usr/lib/cni/bridge': '' },
    onRun: () => ({ stdout: '[{"dst":"default","dev":"eth0","prefsrc":"192.0.2.10"}]' }),
  });
  const { client } = createDryRun(machine, 'n1');
  const running = new Map<string, { readonly spec: string; readonly files: string }>();
  const said: string[] = [];
  let changes = 0;
  let limit = Number.POSITIVE_INFINITY;
  const count = (): void => {
    changes += 1;
    if (changes > limit) throw killed;
  };
  const specs = new Map<string, string>();
  const read = async (path: string): Promise<string> => String(await machine.readFileIfExists(path));
  /** What the service would read at this moment. */
  const filesOf = async (name: string): Promise<string> =>
    name === 'k8ts-server'
      ? read('/etc/k8ts/server.json')
      : `${await read('/etc/k8ts/agent.json')}${await read('/etc/kubernetes/bootstrap-kubelet.conf')}`;
  const host: Host = {
    ...machine,
    writeFile: async (path, content, options) => {
      if ((await read(path)) === String(content)) return;
      count();
      await machine.writeFile(path, content, options);
    },
    writeSysctl: async (key, value) => {
      count();
      await machine.writeSysctl(key, value);
    },
  };
  const services: Services = {
    kind: 'supervisor',
    install: async (spec) => {
      count();
      specs.set(spec.name, JSON.stringify(spec));
    },
    start: async (name) => {
      count();
      if (!running.has(name)) running.set(name, { spec: specs.get(name) ?? '', files: await filesOf(name) });
    },
    stop: async (name) => {
      count();
      running.delete(name);
    },
    restart: async () => {
      t.fail('a restart loses what was between stopping and starting');
    },
    remove: async () => undefined,
    status: async (name) => ({
      state: running.has(name) ? 'running' : specs.has(name) ? 'stopped' : 'absent',
      restarts: 0,
    }),
    logs: async () => '',
  };
  const run = async (
    options: {
      readonly changes?: number;
      readonly stopAfter?: string;
      readonly document?: Partial<ClusterDocument>;
    } = {},
  ) => {
    changes = 0;
    limit = options.changes ?? Number.POSITIVE_INFINITY;
    const kept = await machine.readFileIfExists('/etc/k8ts/cluster.yaml');
    const base = kept === undefined ? emptyClusterDocument : readInitFile(kept.toString(), 'kept').document;
    const document = { ...base, ...options.document };
    const context: InitContext = {
      host,
      services,
      config: await resolveInitConfig(machine, document, 'test'),
      document,
      program: ['/node', '/k8ts.js'],
      installProgram: async () => undefined,
      tokens: [{ token: { id: 'abcdef', secret: '0123456789abcdef' }, ttl: 0 }],
      showToken: true,
      fix: false,
      ignoredChecks: [],
      client: async () => client,
      say: (line) => void said.push(line),
    };
    const stop = new AbortController();
    const quiet = createReporter({ terminal: false, write: () => undefined });
    const reporter = {
      ...quiet,
      done: ({ name }: { readonly name: string }) => name === options.stopAfter && stop.abort(),
    };
    await runPhases(initPhases, context, { reporter, signal: stop.signal, skip: ['preflight'] });
  };
  /** Everything that init leaves, random parts left out. */
  const state = async () => {
    const files = Object.entries(machine.files()).map(([path, content]) => {
      const isSecret = /\/pki\/|\/admin.conf|super-admin|controller-manager.conf|scheduler.conf|kubelet.conf/.test(
        path,
      );
      return [path, isSecret ? 'present' : String(content)] as const;
    });
    const current = await Promise.all(
      [...running].map(async ([name, { spec, files: had }]) => ({
        name,
        spec,
        upToDate: had === (await filesOf(name)),
      })),
    );
    return {
      files: Object.fromEntries(files.sort()),
      services: current,
      sysctl: await machine.readSysctl('net.ipv4.ip_forward'),
    };
  };
  return { run, state, said, machine, changes: () => changes };
}

t.test('stopped after any phase, the next run ends in the same state', async (t) => {
  const straight = await setup();
  await straight.run();
  const want = await straight.state();
  t.ok(want.services.every(({ upToDate }) => upToDate));
  const names = initPhases
    .map(({ name }) => name)
    .filter((name) => name !== 'preflight' && name !== 'show-join-command');
  for (const name of names) {
    const cut = await setup();
    await t.rejects(cut.run({ stopAfter: name }), { code: 'INTERRUPTED', hint: /run the same command again/ }, name);
    await cut.run();
    t.strictSame(await cut.state(), want, `after ${name}`);
  }
});

t.test('killed before any change, the next run ends in the same state', async (t) => {
  const straight = await setup();
  await straight.run();
  const want = await straight.state();
  const total = straight.changes();
  t.ok(total > 20);
  for (let n = 0; n < total; n += 1) {
    const cut = await setup();
    await t.rejects(cut.run({ changes: n }), { message: 'killed' });
    await cut.run();
    t.strictSame(await cut.state(), want, `before change ${n + 1} of ${total}`);
  }
});

t.test('killed while settings are changed, no service goes on with the old ones', async (t) => {
  const document = { networking: { serviceProxy: 'off' as const }, apiServer: { maxRequestsInFlight: 50 } };
  const straight = await setup();
  await straight.run();
  await straight.run({ document });
  const want = await straight.state();
  t.match(want.files['/etc/k8ts/server.json'], /"maxRequestsInFlight": 50/);
  const total = straight.changes();
  for (let n = 0; n < total; n += 1) {
    const cut = await setup();
    await cut.run();
    await t.rejects(cut.run({ changes: n, document }), { message: 'killed' });
    await cut.run({ document });
    t.strictSame(await cut.state(), want, `before change ${n + 1} of ${total}`);
  }
});

t.test('a run without settings continues with those of the run before', async (t) => {
  const { run, machine } = await setup();
  await t.rejects(run({ stopAfter: 'certs', document: { networking: { podCidr: '10.50.0.0/16' } } }), {
    code: 'INTERRUPTED',
  });
  await run();
  t.match(String(await machine.readFile('/etc/k8ts/server.json')), /"podCidr": "10.50.0.0\/16"/);
  const kept = String(await machine.readFile('/etc/k8ts/cluster.yaml'));
  t.match(kept, /podCidr: 10.50.0.0\/16/);
  t.notMatch(kept, 'bootstrapTokens', 'secrets are not kept');
});

const fixed: readonly { readonly document: Partial<ClusterDocument>; readonly message: RegExp }[] = [
  { document: { networking: { podCidr: '10.55.0.0/16' } }, message: /podCidr is 10.244.0.0\/16, not 10.55.0.0\/16/ },
  { document: { networking: { serviceCidr: '10.200.0.0/16' } }, message: /serviceCidr is 10.96.0.0\/12/ },
  { document: { networking: { dnsDomain: 'x.test' } }, message: /dnsDomain is cluster.local, not x.test/ },
  { document: { node: { name: 'other' } }, message: /node.name is n1, not other/ },
  { document: { datastore: 'sqlite:///x/y.db' }, message: /datastore is sqlite:.*not sqlite:\/\/\/x\/y.db/ },
];
t.test('what a running cluster depends on is not changed', async (t) => {
  const { run, state, said } = await setup();
  await run();
  const before = await state();
  for (const { document, message } of fixed) {
    await t.rejects(run({ document }), { code: 'CONFIG_FIXED', message, exit: 'invalidInput', hint: /k8ts reset/ });
  }
  t.strictSame(await state(), before);
  t.equal(said.filter((line) => line.includes('The cluster is up')).length, 1);
});

t.test('where the key of the CA is elsewhere, the agent asks for its certificate with the token', async (t) => {
  const { run, machine } = await setup();
  await run();
  for (const path of ['/etc/kubernetes/pki/ca.key', '/etc/kubernetes/kubelet.conf']) await machine.remove(path);
  await run();
  t.equal(await machine.stat('/etc/kubernetes/kubelet.conf'), undefined);
  t.match(String(await machine.readFile('/etc/kubernetes/bootstrap-kubelet.conf')), 'abcdef.0123456789abcdef');
});
