import t from 'tap';
import { CodedError } from '../../src/base/index.ts';
import { createFakeHost, type FakeHostOptions, type SshHost } from '../../src/host/index.ts';
import { noControlPlane, settingsOf } from '../../src/up/carry-out.ts';
import { describeFailures, type Failure, incomplete } from '../../src/up/machines.ts';
import { observeHost } from '../../src/up/observe.ts';
import { createLiveProgress, createPlainProgress } from '../../src/up/progress.ts';
import { runRemoteK8ts } from '../../src/up/remote-k8ts.ts';

const { signal } = new AbortController();
const sections = (given: Readonly<Record<string, string>>): string =>
  Object.entries({ uid: '0', name: 'Node-1', machine: 'x86_64', ...given })
    .map(([name, text]) => `== ${name}\n${text}\n`)
    .join('');
const seen = (given: Readonly<Record<string, string>>) =>
  observeHost(createFakeHost({ onRun: () => ({ stdout: sections(given) }) }), signal);

t.test('a machine as it is seen: bare, and a control plane', async (t) => {
  t.match(await seen({}), { hostName: 'Node-1', architecture: 'x64', installed: undefined, isMaster: false });
  const all = { bundle: '{"name":"v1"}', server: 'yes', agent: '{"nodeName":"m"}', ca: 'PEM', admin: 'apiVersion: v1' };
  t.match(await seen({ ...all, machine: 'aarch64' }), {
    architecture: 'arm64',
    installed: 'v1',
    isMaster: true,
    nodeName: 'm',
    caPem: 'PEM',
    adminConf: 'apiVersion: v1',
  });
});

t.test('a machine that cannot be used', async (t) => {
  await t.rejects(seen({ uid: '1000' }), { code: 'NOT_ROOT', hint: /sudo: true/ });
  await t.rejects(seen({ machine: 'riscv64' }), { code: 'ARCH_UNSUPPORTED', message: /riscv64/ });
});

/** A fake machine whose k8ts answers so. */
function remote(onRun: FakeHostOptions['onRun']) {
  const fake = createFakeHost({ ...(onRun === undefined ? {} : { onRun }) });
  return { fake, host: fake as unknown as SshHost };
}

t.test('k8ts over there is told by a file that only root reads, and that does not stay', async (t) => {
  let told: string | undefined;
  const { fake, host } = remote(async () => {
    told = fake.files()['/run/k8ts-up/join.yaml'];
    t.equal((await fake.stat('/run/k8ts-up/join.yaml'))?.mode, 0o600);
    t.equal((await fake.stat('/run/k8ts-up'))?.mode, 0o700);
    return {};
  });
  const document = { discovery: { joinString: 'secret' } };
  await runRemoteK8ts({ host, command: 'join', args: [], document, signal, onLine: () => undefined });
  t.match(told, 'joinString: secret');
  t.strictSame(fake.commands, ['/opt/k8ts/current/bin/k8ts join --config /run/k8ts-up/join.yaml']);
  t.strictSame(fake.files(), {});
});

t.test('its error is the error here: code, cause, next step', async (t) => {
  const failing = (code: number, stderr: string) => {
    const { host } = remote(() => ({ code, stderr, stdout: '[preflight] Checking … failed\n' }));
    return runRemoteK8ts({ host, command: 'join', args: [], signal, onLine: () => undefined });
  };
  await t.rejects(
    failing(2, 'error: phase x: broken\n  [ERROR CRI]: none [PREFLIGHT_FAILED]\n  what to do: mend it\n'),
    {
      code: 'PREFLIGHT_FAILED',
      message: 'k8ts join: phase x: broken\n  [ERROR CRI]: none',
      hint: 'mend it',
    },
  );
  await t.rejects(failing(1, 'Killed\n'), { code: 'K8TS_FAILED', message: /exit code 1\n.*\nKilled/s });
});

t.test('failures are said with machine, phase, output and next step', async (t) => {
  const failures: readonly Failure[] = [
    { id: 'n1', phase: 'join', error: new CodedError('X', 'one\ntwo', { hint: 'do it' }) },
    { id: 'n2', phase: 'join', error: noControlPlane('m') },
  ];
  const lines = describeFailures(failures);
  t.strictSame(lines.slice(0, 3), ['n1, phase join: one', '    two [X]', '    what to do: do it']);
  t.match(lines[3], /^n2, phase join: the control plane m .*\[CONTROL_PLANE_ABSENT\]/);
  t.match(incomplete(failures, 5), {
    code: 'UP_INCOMPLETE',
    message: '2 of 5 machines failed: n1, n2',
    exit: 'failed',
  });
});

t.test('what init is told changes the settings; what the node is told does not', async (t) => {
  const host = { address: 'a', role: 'control-plane' as const };
  const file = { apiVersion: 'k8ts.dev/v1', kind: 'Cluster', metadata: { name: 'lab' }, hosts: [host] } as const;
  const of = (more: object, own: object = {}) => settingsOf({ ...file, hosts: [host], ...more }, { ...host, ...own });
  t.equal(of({}), of({}, { labels: { a: 'b' }, taints: [], user: 'x' }));
  t.not(of({}), of({ cluster: { apiServer: { certSans: ['b'] } } }));
});

t.test('progress: plain lines, and a live list that ends with what was said in between', async (t) => {
  let plain = '';
  const lines = createPlainProgress((text) => {
    plain += text;
  });
  lines.step('n1', 'install');
  lines.passing('n1', '1 of 2 MB');
  lines.failed('n1', new CodedError('X', 'why\nmore'));
  lines.say('done');
  t.equal(plain, 'n1: install\nn1: failed: why [X]\ndone\n');
  let after = '';
  const live = await createLiveProgress(['n1', 'n2'], (text) => {
    after += text;
  });
  live.step('n1', 'install');
  live.failed('n1', new Error('no'));
  live.say('said');
  live.done('n2', 'ready');
  await live.end();
  await live.end();
  t.equal(after, 'said\n');
});
