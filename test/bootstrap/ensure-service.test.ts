import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ensureService } from '../../src/bootstrap/index.ts';
import { createLocalHost, type ServiceStatus, type Services } from '../../src/host/index.ts';

/** What is done to the service, in order. */
function recorded(status: ServiceStatus) {
  const calls: string[] = [];
  const services = {
    status: async () => status,
    install: async () => void calls.push('install'),
    start: async () => void calls.push('start'),
    stop: async () => void calls.push('stop'),
  } as unknown as Services;
  return { calls, services };
}

const host = createLocalHost();
const spec = (program: string) => ({ name: 'k8ts-agent', description: '', command: [program, 'run', 'agent'] });

t.test('a service with other settings is stopped before they are written', async (t) => {
  const path = join(t.testdir({ 'agent.json': 'old' }), 'agent.json');
  const files = [{ path, content: 'new' }];
  const { calls, services } = recorded({ state: 'running', restarts: 0 });
  services.stop = async () => void calls.push(`stop, with ${readFileSync(path, 'utf8')} there`);
  await ensureService({ host, services, spec: spec('/bin/true'), files });
  t.same(calls, ['stop, with old there', 'install', 'start']);
  t.equal(readFileSync(path, 'utf8'), 'new');
  calls.length = 0;
  await ensureService({ host, services, spec: spec('/bin/true'), files });
  t.same(calls, ['install', 'start']);
});

t.test('a service of another version is started anew, by its program', async (t) => {
  const folder = t.testdir({ v1: {}, v2: {} });
  const program = (version: string) => join(folder, version, 'sleep');
  for (const version of ['v1', 'v2']) copyFileSync('/bin/sleep', program(version));
  const current = join(folder, 'current');
  symlinkSync('v1', current);
  const child = spawn(program('v1'), ['60']);
  t.teardown(() => child.kill());
  await once(child, 'spawn');
  const run = async (pid: number | undefined) => {
    const { calls, services } = recorded({ state: 'running', restarts: 0, ...(pid === undefined ? {} : { pid }) });
    await ensureService({ host, services, spec: spec(join(current, 'sleep')), files: [] });
    return calls;
  };
  t.same(await run(child.pid), ['install', 'start']);
  rmSync(current);
  symlinkSync('v2', current);
  t.same(await run(child.pid), ['stop', 'install', 'start'], 'current leads to the next version');
  rmSync(program('v1'));
  t.same(await run(child.pid), ['stop', 'install', 'start'], 'the old version was removed');
  t.same(await run(undefined), ['install', 'start'], 'between two starts');
  t.same(await run(2 ** 30), ['install', 'start'], 'it has just ended');
});

t.test('one that does not run gets its files and is started', async (t) => {
  const path = join(t.testdir(), 'agent.json');
  writeFileSync(path, 'old');
  const { calls, services } = recorded({ state: 'stopped', restarts: 0 });
  await ensureService({ host, services, spec: spec('/bin/true'), files: [{ path, content: 'new' }] });
  t.same(calls, ['install', 'start']);
});
