import { rm } from 'node:fs/promises';
import t from 'tap';
import { createCri } from '../../src/cri/index.ts';
import { busyboxImage, insideNamespaces, startContainerd, whyNoContainerd } from '../contract/containerd.ts';
import { criContract } from '../contract/cri.ts';

const skip = whyNoContainerd();
if (skip !== undefined) t.plan(0, skip);
else if (insideNamespaces(import.meta.filename)) {
  const containerd = await startContainerd();
  const cri = createCri(`unix://${containerd.socket}`);
  t.teardown(async () => {
    await cri.close();
    await containerd.stop();
    await rm(containerd.dir, { recursive: true, force: true });
  });
  criContract(t, cri, busyboxImage, `${containerd.dir}/logs`);

  t.test('a command that runs too long is given up', async (t) => {
    const config = {
      metadata: { name: 'p', uid: 'u9', namespace: 'ns' },
      logDirectory: `${containerd.dir}/logs`,
      linux: { securityContext: { namespaceOptions: { network: 'node' as const } } },
    };
    const sandbox = await cri.runPodSandbox(config);
    const id = await cri.createContainer(
      sandbox,
      { metadata: { name: 'c' }, image: { image: busyboxImage }, logPath: 'c.log' },
      config,
    );
    await cri.startContainer(id);
    await t.rejects(cri.execSync(id, ['sleep', '30'], 1), { code: 'CRI_TIMEOUT' });
    await cri.stopPodSandbox(sandbox);
    await cri.removePodSandbox(sandbox);
  });
}
