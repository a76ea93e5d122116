import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/index.ts';
import {
  createLocalHost,
  createServices,
  runSupervisor,
  type ServiceStatus,
  type Services,
} from '../../src/host/index.ts';
import { rotateLogs } from '../../src/host/supervisor.ts';

const main = `
  import { createLogger } from '${join(import.meta.dirname, '../../src/base/index.ts')}';
  import { runSupervisor } from '${join(import.meta.dirname, '../../src/host/index.ts')}';
  const root = process.argv[2];
  const end = new AbortController();
  process.on('SIGTERM', () => end.abort());
  await runSupervisor({ log: createLogger(), signal: end.signal, paths: pathsOf(root) });
  process.exit(0);
  function pathsOf(root) { return { runDir: root + '/run', logDir: root + '/log', specDir: root + '/spec' }; }
`;

/** A service that watches its supervisor, as the daemons do. */
const watching = `
  import { writeFileSync } from 'node:fs';
  import { createLogger } from '${join(import.meta.dirname, '../../src/base/index.ts')}';
  import { watchSupervisor } from '${join(import.meta.dirname, '../../src/host/index.ts')}';
  const root = process.argv[2];
  const end = new AbortController();
  process.on('SIGTERM', () => end.abort());
  const paths = { runDir: root + '/run', logDir: root + '/log', specDir: root + '/spec' };
  const program = [process.execPath, root + '/main.ts', root];
  writeFileSync(process.env.K8TS_READY_FILE, '');
  await Promise.all([
    watchSupervisor({ program, logger: createLogger(), signal: end.signal, paths }),
    new Promise((done) => { end.signal.addEventListener('abort', done); setTimeout(done, 60_000); }),
  ]);
  process.exit(0);
`;

async function setup(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'k8ts-')); // short: a unix socket's path has at most 107 bytes
  writeFileSync(join(root, 'main.ts'), main);
  const paths = { runDir: join(root, 'run'), logDir: join(root, 'log'), specDir: join(root, 'spec') };
  const host = createLocalHost();
  await host.makeDir(paths.specDir);
  const program = [process.execPath, join(root, 'main.ts'), root];
  const services = await createServices(host, { kind: 'supervisor', program, paths });
  const pidOf = (name: string): number => Number(readFileSync(join(paths.runDir, name), 'utf8').split(' ')[0]);
  t.teardown(async () => {
    for (const name of await host.readDir(paths.specDir)) await services.remove(name.replace('.json', ''));
    rmSync(root, { recursive: true, force: true });
  });
  return { root, paths, host, services, pidOf };
}

async function until(
  services: Services,
  name: string,
  good: (status: ServiceStatus) => boolean,
): Promise<ServiceStatus> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const status = await services.status(name);
    if (good(status)) return status;
    if (Date.now() > deadline) throw new Error(`not reached; ${name} is ${JSON.stringify(status)}`);
    await delay(20);
  }
}

/** A zombie, whose parent was killed and which nobody has asked for yet, is not. */
const alive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

t.test('a service starts, says when it is ready, and its output is kept', async (t) => {
  const { services, paths } = await setup(t);
  const command = ['/bin/sh', '-c', 'echo hello; sleep 0.1; echo ok > "$K8TS_READY_FILE"; exec sleep 60'];
  t.match(await services.status('one'), { state: 'absent' });
  await services.install({ name: 'one', description: 'one', command });
  await services.start('one');
  t.match(await services.status('one'), { state: 'starting' });
  await until(services, 'one', ({ state }) => state === 'running');
  t.equal(await services.logs('one', 5), 'hello');
  t.equal(statSync(join(paths.runDir, 'supervisor.sock')).mode & 0o777, 0o600);
  await services.start('one'); // twice is not an error
  const { pid = 0 } = await services.status('one');
  await services.stop('one');
  t.match(await services.status('one'), { state: 'stopped' });
  t.notOk(alive(pid));
});

t.test('a service that ends is started again, with the reason shown meanwhile', async (t) => {
  const { services, root } = await setup(t);
  const command = ['/bin/sh', '-c', `[ -e ${root}/again ] && exec sleep 60; touch ${root}/again; exit 3`];
  await services.install({ name: 'flaky', description: '', command });
  await services.start('flaky');
  t.match(await until(services, 'flaky', ({ state }) => state === 'failed'), { reason: 'exit code 3' });
  t.match(await until(services, 'flaky', ({ restarts, pid }) => restarts === 1 && pid !== undefined), {
    state: 'starting',
  });
});

t.test('services survive a killed supervisor and are adopted by the next', async (t) => {
  const { services, pidOf } = await setup(t);
  await services.install({ name: 'long', description: '', command: ['/bin/sleep', '60'] });
  await services.install({ name: 'other', description: '', command: ['/bin/sleep', '60'] });
  await services.start('long');
  await services.start('other');
  const { pid = 0 } = await until(services, 'long', (status) => status.pid !== undefined);
  await until(services, 'other', (status) => status.pid !== undefined);
  await services.stop('other');
  process.kill(pidOf('supervisor.pid'), 'SIGKILL');
  await until(services, 'long', ({ reason }) => reason === 'the supervisor does not run');
  t.ok(alive(pid));
  await services.start('long');
  t.equal((await until(services, 'long', (status) => status.pid !== undefined)).pid, pid, 'the same process');
  t.match(await services.status('other'), { state: 'stopped' }, 'what was stopped by hand stays so');
  await services.remove('long');
  t.notOk(alive(pid));
});

t.test('SIGTERM ends the supervisor and what it runs; a pid that is not ours is left alone', async (t) => {
  const { services, paths, pidOf } = await setup(t);
  await services.install({ name: 'a', description: '', command: ['/bin/sleep', '60'] });
  // A pid file left from before a reboot: the pid is this test's, the start time is not.
  await createLocalHost().makeDir(join(paths.runDir, 'services'));
  writeFileSync(join(paths.runDir, 'services/a.pid'), `${process.pid} 1\n`);
  await services.start('a');
  const { pid = 0 } = await until(services, 'a', (status) => status.pid !== undefined);
  t.not(pid, process.pid);
  const supervisor = pidOf('supervisor.pid');
  process.kill(supervisor, 'SIGTERM');
  while (alive(supervisor)) await delay(20);
  t.notOk(alive(pid));
  t.notOk(existsSync(join(paths.runDir, 'supervisor.pid')));
});

t.test('a service starts its supervisor again when that crashes, and not when it ends in order', async (t) => {
  const { services, root, paths, pidOf } = await setup(t);
  writeFileSync(join(root, 'service.ts'), watching);
  const command = [process.execPath, join(root, 'service.ts'), root];
  for (const name of ['one', 'two']) {
    await services.install({ name, description: '', command });
    await services.start(name);
    await until(services, name, ({ state }) => state === 'running');
  }
  const { pid } = await services.status('one');
  const first = pidOf('supervisor.pid');
  process.kill(first, 'SIGKILL');
  const back = (status: ServiceStatus) => status.pid !== undefined && pidOf('supervisor.pid') !== first;
  t.equal((await until(services, 'one', back)).pid, pid, 'adopted');
  await services.stop('one');
  // Both services started one; the slower of the two leaves when it finds the other.
  const count = () =>
    spawnSync('pgrep', ['-fc', `${root}/main.ts ${root} run supervisor`], { encoding: 'utf8' }).stdout;
  while (count().trim() !== '1') await delay(20);
  const second = pidOf('supervisor.pid');
  process.kill(second, 'SIGTERM');
  while (alive(second)) await delay(20);
  await delay(300);
  t.notOk(existsSync(join(paths.runDir, 'supervisor.pid')), 'nobody has started a third');
});

t.test('a second supervisor leaves the first alone', async (t) => {
  const { services, paths, pidOf } = await setup(t);
  await services.install({ name: 'a', description: '', command: ['/bin/sleep', '60'] });
  await services.start('a');
  const first = pidOf('supervisor.pid');
  await runSupervisor({ log: silentLogger, signal: new AbortController().signal, paths });
  t.equal(pidOf('supervisor.pid'), first);
});

t.test('a program that cannot be started is a reason, not a crash', async (t) => {
  const { services } = await setup(t);
  await services.install({ name: 'none', description: '', command: ['/no/such/program'] });
  await services.start('none');
  t.match(await until(services, 'none', ({ state }) => state === 'failed'), { reason: /ENOENT/ });
  await t.rejects(services.start('never-installed'), {
    code: 'SERVICE_FAILED',
    message: /never-installed is not installed/,
  });
});

t.test('a log over its bound is rotated while its writer goes on', async (t) => {
  const dir = t.testdir({ 'a.log': 'x'.repeat(50), 'a.log.1': 'old', 'b.log': 'short' });
  await rotateLogs(dir, 20);
  t.equal(readFileSync(join(dir, 'a.log'), 'utf8'), '');
  t.equal(readFileSync(join(dir, 'a.log.1'), 'utf8').length, 50);
  t.equal(readFileSync(join(dir, 'a.log.2'), 'utf8'), 'old');
  t.equal(readFileSync(join(dir, 'b.log'), 'utf8'), 'short');
});

t.test('one that comes late, when every service was removed, does not stay', async (t) => {
  const { paths } = await setup(t);
  await runSupervisor({ log: silentLogger, signal: new AbortController().signal, paths });
  t.notOk(existsSync(join(paths.runDir, 'supervisor.pid')));
});
