// What every Cri promises; run against the fake and against a real containerd.

import type { Test } from 'tap';
import type { Cri, PodSandboxConfig, RuntimeEvent } from '../../src/cri/index.ts';

/** @param image an image that is on the machine, with `sleep` and `sh` in it. */
export function criContract(t: Test, cri: Cri, image: string, logDirectory: string): void {
  const labels = { 'io.kubernetes.pod.uid': 'u1' };
  const sandboxConfig: PodSandboxConfig = {
    metadata: { name: 'p', uid: 'u1', namespace: 'ns', attempt: 0 },
    logDirectory,
    labels,
    annotations: { note: 'kept' },
    linux: { securityContext: { namespaceOptions: { network: 'node', pid: 'container' } } },
  };
  const run = (name: string, attempt: number) => ({
    metadata: { name, attempt },
    image: { image },
    command: ['sh', '-c', 'trap "exit 5" TERM; sleep 1000 & wait'],
    logPath: `${name}.log`,
    labels,
    annotations: { attempt: String(attempt) },
  });

  t.test('says which runtime it is and that it is ready', async (t) => {
    t.equal((await cri.version()).runtimeApiVersion, 'v1');
    t.match(await cri.status(), { conditions: [{ type: 'RuntimeReady', status: true }, { type: 'NetworkReady' }] });
    t.match(await cri.cgroupDriver(), /cgroupfs|systemd/);
    t.match(await cri.sandboxImage(), /.+:.+/);
  });

  t.test('an image is found by its tag, and an unknown one is no error', async (t) => {
    const found = await cri.imageStatus(image);
    t.ok(found?.repoTags.includes(image));
    t.ok((await cri.listImages()).some(({ id }) => id === found?.id));
    t.equal(await cri.imageStatus('docker.io/k8ts/absent:1'), undefined);
  });

  t.test('what is not there: undefined, success, or CRI_NOT_FOUND', async (t) => {
    t.equal(await cri.containerStatus('absent'), undefined);
    t.equal(await cri.podSandboxStatus('absent'), undefined);
    await cri.stopContainer('absent', 0);
    await cri.removeContainer('absent');
    await cri.removePodSandbox('absent');
    await t.rejects(cri.startContainer('absent'), { code: 'CRI_NOT_FOUND' });
    await t.rejects(cri.execSync('absent', ['true'], 1), { code: 'CRI_NOT_FOUND' });
  });

  t.test('the life of a container', async (t) => {
    const stop = new AbortController();
    const events: RuntimeEvent[] = [];
    const reading = (async () => {
      for await (const event of cri.events(stop.signal)) events.push(event);
    })();
    const heard = async (type: RuntimeEvent['type'], id: string): Promise<void> => {
      for (let tries = 0; tries < 100 && !events.some((e) => e.type === type && e.id === id); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      t.ok(
        events.some((e) => e.type === type && e.id === id),
        `event ${type}`,
      );
    };

    const sandbox = await cri.runPodSandbox(sandboxConfig);
    t.teardown(() => cri.removePodSandbox(sandbox));
    t.match(await cri.podSandboxStatus(sandbox), {
      state: 'ready',
      metadata: { uid: 'u1' },
      annotations: { note: 'kept' },
    });
    t.match(await cri.listPodSandbox({ labels }), [{ id: sandbox }]);
    t.same(await cri.listPodSandbox({ labels: { 'io.kubernetes.pod.uid': 'other' } }), []);

    const id = await cri.createContainer(sandbox, run('main', 0), sandboxConfig);
    t.match(await cri.containerStatus(id), {
      state: 'created',
      metadata: { name: 'main' },
      annotations: { attempt: '0' },
    });
    await cri.startContainer(id);
    await heard('started', id);
    t.match(await cri.containerStatus(id), { state: 'running', exitCode: 0 });
    t.match(await cri.listContainers({ labels, podSandboxId: sandbox }), [
      { id, podSandboxId: sandbox, state: 'running' },
    ]);
    t.equal((await cri.execSync(id, ['true'], 5)).exitCode, 0);
    t.equal((await cri.listContainerStats({ podSandboxId: sandbox })).length, 1);
    t.match(
      await cri.exec({ containerId: id, cmd: ['sh'], tty: false, stdin: true, stdout: true, stderr: true }),
      /^http/,
    );
    await cri.reopenContainerLog(id);

    await cri.stopContainer(id, 0);
    await heard('stopped', id);
    const after = await cri.containerStatus(id);
    t.match(after, { state: 'exited', exitCode: 137 });
    t.ok((after?.finishedAt ?? 0) >= (after?.startedAt ?? 0));
    await t.rejects(cri.startContainer(id), { code: 'CRI_CALL_FAILED' });
    await t.rejects(cri.execSync(id, ['true'], 5), { code: 'CRI_CALL_FAILED' });

    const again = await cri.createContainer(sandbox, run('main', 1), sandboxConfig);
    await cri.startContainer(again);
    await cri.stopPodSandbox(sandbox);
    t.match(await cri.containerStatus(again), { state: 'exited' }, 'stopping a sandbox ends its containers');
    t.match(await cri.podSandboxStatus(sandbox), { state: 'notReady' });
    await t.rejects(cri.createContainer(sandbox, run('late', 0), sandboxConfig));
    await cri.removePodSandbox(sandbox);
    t.equal(await cri.podSandboxStatus(sandbox), undefined);
    t.equal(await cri.containerStatus(again), undefined, 'removing a sandbox removes its containers');
    stop.abort();
    await reading;
  });

  t.test('an image that is not there cannot be run', async (t) => {
    const sandbox = await cri.runPodSandbox({ ...sandboxConfig, metadata: { name: 'q', uid: 'u2', namespace: 'ns' } });
    t.teardown(async () => {
      await cri.stopPodSandbox(sandbox);
      await cri.removePodSandbox(sandbox);
    });
    const config = { ...run('main', 0), image: { image: 'docker.io/k8ts/absent:1' } };
    await t.rejects(cri.createContainer(sandbox, config, sandboxConfig), { code: 'CRI_NOT_FOUND' });
  });
}
