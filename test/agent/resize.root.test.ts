// Containers that get other resources while they run, as the kernel sees it.

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type Container, kinds, type Pod } from '../../src/api/index.ts';
import { containersOf, enterLab, isReady, podOf, poll, sleepScript } from './lab.ts';

type Resources = NonNullable<Container['resources']>;

const root = '/sys/fs/cgroup';
const isUnified = existsSync(join(root, 'cgroup.controllers'));

/** Memory limit in a folder of the hierarchy, in bytes. */
function memoryLimit(path: string): number {
  const file = isUnified ? join(root, path, 'memory.max') : join(root, 'memory', path, 'memory.limit_in_bytes');
  return Number(readFileSync(file, 'utf8'));
}

function cpuWeightOf(path: string): number {
  const file = isUnified ? join(root, path, 'cpu.weight') : join(root, 'cpu', path, 'cpu.shares');
  return Number(readFileSync(file, 'utf8'));
}

/** The cluster in memory keeps the directive that takes a condition away, without a status. */
function isTold(pod: Pod | undefined, condition: string): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === condition && status === 'True') === true;
}

const lab = await enterLab(t, import.meta.filename);
if (lab !== undefined) {
  const sized = (cpu: string, memory: string): Resources => ({
    requests: { cpu, memory: '16Mi' },
    limits: { cpu: '500m', memory },
  });
  const start = async (name: string, resizePolicy: NonNullable<Container['resizePolicy']>) => {
    const pod = podOf(name, sleepScript);
    const containers = (pod.spec?.containers ?? []).map((one) => ({
      ...one,
      resizePolicy,
      resources: sized('100m', '64Mi'),
    }));
    await lab.create({ ...pod, spec: { ...pod.spec, containers } });
    const ready = await lab.until(name, 'ready', isReady);
    const cgroup = `kubepods/burstable/pod${ready?.metadata?.uid}`;
    const id = containersOf(ready)[0]?.containerID?.split('//')[1] ?? '';
    return { cgroup, id };
  };
  const resize = async (name: string, resources: Resources): Promise<void> => {
    const containers = (await lab.get(name))?.spec?.containers.map((one) => ({ ...one, resources }));
    await lab.client.patch(kinds.pod, { namespace: 'default', name }, 'merge', { spec: { containers } });
  };

  t.test('limits grow and shrink around a process that goes on', async (t) => {
    const { cgroup, id } = await start('web', []);
    t.equal(memoryLimit(join(cgroup, id)), 64 * 1024 ** 2);
    const weight = cpuWeightOf(join(cgroup, id));
    for (const [cpu, memory, bytes] of [
      ['300m', '128Mi', 128 * 1024 ** 2],
      ['200m', '96Mi', 96 * 1024 ** 2],
    ] as const) {
      await resize('web', sized(cpu, memory));
      const pod = await lab.until('web', `at ${memory}`, (now) => {
        const [main] = containersOf(now);
        return main?.resources?.limits?.['memory'] === memory;
      });
      t.equal(memoryLimit(join(cgroup, id)), bytes);
      await poll(() => memoryLimit(cgroup) === bytes, 'the limit of the whole pod');
      t.ok(cpuWeightOf(join(cgroup, id)) > weight);
      t.match(containersOf(pod), [{ restartCount: 0, containerID: new RegExp(id), allocatedResources: { cpu } }]);
    }
    const done = await lab.until('web', 'done', (now) => !isTold(now, 'PodResizeInProgress'));
    t.match(done?.status?.phase, 'Running');
  });

  t.test('what the node does not have is refused, and told', async (t) => {
    const { cgroup, id } = await start('huge', []);
    await resize('huge', { requests: { cpu: '10000', memory: '16Mi' }, limits: { cpu: '10000', memory: '64Mi' } });
    const pod = await lab.until('huge', 'infeasible', (now) => isTold(now, 'PodResizePending'));
    t.match(
      pod?.status?.conditions?.find(({ type }) => type === 'PodResizePending'),
      { status: 'True', reason: 'Infeasible', message: /^Node didn't have enough capacity: cpu, requested: 10000000/ },
    );
    t.equal(memoryLimit(join(cgroup, id)), 64 * 1024 ** 2);
    await resize('huge', sized('100m', '64Mi'));
    await lab.until('huge', 'back', (now) => !isTold(now, 'PodResizePending'));
  });

  t.test('a container that wants a restart for it gets one', async (t) => {
    const { cgroup, id } = await start('again', [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]);
    await resize('again', sized('100m', '128Mi'));
    const pod = await lab.until(
      'again',
      'restarted',
      (now) => containersOf(now)[0]?.restartCount === 1 && isReady(now),
    );
    const next = containersOf(pod)[0]?.containerID?.split('//')[1] ?? '';
    t.not(next, id);
    t.equal(memoryLimit(join(cgroup, next)), 128 * 1024 ** 2);
    t.equal(memoryLimit(cgroup), 128 * 1024 ** 2);
  });

  t.test('what there is no room for waits until other pods are gone, and no longer', async (t) => {
    await start('waiting', []);
    const all = { cpu: String(availableParallelism()), memory: '16Mi' };
    await resize('waiting', { requests: all, limits: { ...all, memory: '64Mi' } });
    const pod = await lab.until('waiting', 'deferred', (now) => isTold(now, 'PodResizePending'));
    t.match(pod?.status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason, 'Deferred');
    for (const name of ['web', 'huge', 'again']) {
      await lab.client.delete(kinds.pod, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
    }
    await lab.until('waiting', 'resized', (now) => containersOf(now)[0]?.resources?.requests?.['cpu'] === all.cpu);
  });
}
