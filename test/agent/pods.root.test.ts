import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { insideNamespaces, startContainerd, whyNoContainerd } from '../contract/containerd.ts';
import { isReady, podOf, sleepScript, startLab } from './lab.ts';

const skip = whyNoContainerd();
if (skip !== undefined) t.plan(0, skip);
else if (insideNamespaces(import.meta.filename)) {
  const containerd = await startContainerd('10.200.0.0/24');
  t.teardown(() => containerd.stop());
  const lab = await startLab(t, containerd);

  t.test('a pod comes up, is Ready, and leaves nothing behind when it is deleted', async (t) => {
    const begun = performance.now();
    await lab.create(podOf('web', sleepScript));
    const pod = await lab.until('web', 'ready', isReady);
    t.comment(`POST to Ready ${Math.round(performance.now() - begun)} ms`);
    t.match(pod?.status, {
      phase: 'Running',
      podIP: /^10\.200\.0\./,
      hostIP: '127.0.0.1',
      qosClass: 'BestEffort',
      containerStatuses: [
        {
          name: 'main',
          ready: true,
          started: true,
          restartCount: 0,
          containerID: /^containerd:\/\/[0-9a-f]{64}$/,
          state: { running: {} },
        },
      ],
    });
    const uid = pod?.metadata?.uid ?? '';
    const deleting = performance.now();
    await lab.client.delete(kinds.pod, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 5 });
    await lab.until('web', 'gone', (now) => now === undefined);
    t.comment(`delete to gone ${Math.round(performance.now() - deleting)} ms`);
    for (let tries = 0; tries < 100 && (await lab.cri.listPodSandbox()).length > 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    t.same(await lab.cri.listPodSandbox(), []);
    t.same(await lab.cri.listContainers(), []);
    t.same(readdirSync(`${lab.dataDir}/pods`), []);
    t.notOk(existsSync(`/var/log/pods/default_web_${uid}`));
    t.notOk(existsSync(`/sys/fs/cgroup/cpu/kubepods/besteffort/pod${uid}`));
  });
}
