import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createPodCgroups } from '../../src/agent/pods/cgroups.ts';
import type { Container, Pod } from '../../src/api/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { container, pod } from './builders.ts';

type Resources = NonNullable<Container['resources']>;
const sized = (uid: string, resources: Resources): Pod =>
  pod({ containers: [container('main', { resources })] }, { metadata: { uid } });
const guaranteed = sized('g', { limits: { cpu: '250m', memory: '64Mi' } });
const burstable = (uid: string) => sized(uid, { requests: { cpu: '1' } });
const bestEffort = sized('e', {});

t.test('cgroup v2, where the runtime manages cgroups', async (t) => {
  const root = t.testdir({ 'cgroup.controllers': 'cpu memory pids\n' });
  const value = (path: string): string => readFileSync(join(root, path), 'utf8');
  const host = createFakeHost();
  const cgroups = await createPodCgroups('cgroupfs', host, root);
  t.match(await host.journal.changes(), [{ kind: 'directory', path: join(root, 'kubepods'), shared: true }]);
  await cgroups.ensure(guaranteed);
  t.equal(value('kubepods/podg/cpu.max'), '25000 100000');
  t.equal(value('kubepods/podg/memory.max'), String(64 * 1024 ** 2));
  t.equal(value('kubepods/podg/cpu.weight'), '10');
  t.equal(value('kubepods/cgroup.subtree_control'), '+cpu +memory +pids', 'pods have the controllers');

  await cgroups.ensure(burstable('b1'));
  await cgroups.ensure(burstable('b2'));
  await cgroups.ensure(bestEffort);
  t.equal(value('kubepods/burstable/cpu.weight'), '78', 'as much as both pods');
  t.equal(value('kubepods/besteffort/cpu.weight'), '1');
});

t.test('cgroup v1: each class weighs as much as its pods together', async (t) => {
  const root = t.testdir({ cpu: {}, memory: {} });
  const value = (path: string): string => readFileSync(join(root, path), 'utf8');
  const cgroups = await createPodCgroups('cgroupfs', createFakeHost(), root);
  await cgroups.ensure(guaranteed);
  await cgroups.ensure(burstable('b1'));
  await cgroups.ensure(burstable('b2'));
  await cgroups.ensure(bestEffort);
  t.equal(value('cpu/kubepods/podg/cpu.shares'), '256');
  t.equal(value('memory/kubepods/podg/memory.limit_in_bytes'), String(64 * 1024 ** 2));
  t.equal(value('cpu/kubepods/burstable/cpu.shares'), '2048');
  t.equal(value('cpu/kubepods/besteffort/cpu.shares'), '2');
});

t.test('removing a pod that has no cgroup is not an error', async (t) => {
  const root = t.testdir({ cpu: {} });
  const cgroups = await createPodCgroups('cgroupfs', createFakeHost(), root);
  await mkdir(join(root, 'cpu/kubepods/podg'), { recursive: true });
  await cgroups.remove(guaranteed);
  await cgroups.remove(burstable('b1'));
});

t.test('where systemd manages cgroups, a pod is a slice of it', async (t) => {
  const host = createFakeHost();
  const cgroups = await createPodCgroups('systemd', host, t.testdir());
  t.match(await host.journal.changes(), [{ kind: 'unit', name: 'kubepods.slice' }], 'reset stops them all');
  const started = (name: string): string | undefined => host.commands.find((line) => line.includes(` ${name} fail `));
  await cgroups.ensure(guaranteed);
  t.match(
    started('kubepods-podg.slice'),
    /^busctl --quiet call .* fail 3 CPUWeight t 10 CPUQuotaPerSecUSec t 250000 MemoryMax t 67108864 0$/,
  );
  await cgroups.ensure(bestEffort);
  t.match(started('kubepods-besteffort.slice'), /fail 1 CPUWeight t 1 0$/);
  t.match(started('kubepods-besteffort-pode.slice'), /fail 1 CPUWeight t 1 0$/);
  await cgroups.remove(bestEffort);
  t.equal(host.commands.at(-1), 'systemctl stop kubepods-besteffort-pode.slice');
});

t.test(
  'a slice that is there gets the new limits; one that systemd does not make is an error with its reason',
  async (t) => {
    const answering = (stderr: string) =>
      createFakeHost({ onRun: (_, args) => (args.includes('StartTransientUnit') ? { code: 1, stderr } : undefined) });
    const host = answering('Unit kubepods-podg.slice was already loaded');
    const there = await createPodCgroups('systemd', host, t.testdir());
    await there.ensure(guaranteed);
    t.match(
      host.commands.at(-1),
      / SetUnitProperties 'sba\(sv\)' kubepods-podg\.slice true 3 CPUWeight t 10 CPUQuotaPerSecUSec t 250000 MemoryMax t 67108864$/,
    );
    const broken = await createPodCgroups('systemd', answering('Failed to connect to bus'), t.testdir());
    await t.rejects(broken.ensure(guaranteed), { code: 'SLICE_NOT_STARTED', message: /Failed to connect to bus/ });
  },
);
