// What has to be looked at now and then because nothing reports it: the size of container logs (every ten seconds, one
// stat a container) and the disk that holds images (every five minutes).

import { statfs } from 'node:fs/promises';
import { type Clock, type Logger, messageOf } from '../base/index.ts';
import type { Cri } from '../cri/index.ts';
import { planImageCollection } from './images/collect.ts';
import type { PodRecord } from './pods/record.ts';
import { rotateLog } from './server/log-rotation.ts';

export interface HousekeepingOptions {
  readonly cri: Cri;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pods: () => readonly PodRecord[];
  readonly signal: AbortSignal;
}

const logsEvery = 10_000;
const imagesEvery = 300_000;

/** Works until `signal` aborts. */
export async function keepHouse(options: HousekeepingOptions): Promise<void> {
  const { clock, logger, signal } = options;
  let images = clock.now();
  while (!signal.aborted) {
    await clock.sleep(logsEvery, signal).catch(() => undefined);
    if (signal.aborted) return;
    await rotateLogs(options);
    if (clock.now() - images < imagesEvery) continue;
    images = clock.now();
    await collectImages(options).catch((error: unknown) => {
      logger.warn('unused images not removed', { error: messageOf(error) });
    });
  }
}

async function rotateLogs({ cri, clock, logger, pods }: HousekeepingOptions): Promise<void> {
  for (const container of pods().flatMap(({ runtime }) => runtime.containers)) {
    if (container.state !== 'running') continue;
    await rotateLog(cri, container, clock.now()).catch((error: unknown) => {
      logger.warn('log not rotated', { path: container.logPath, error: messageOf(error) });
    });
  }
}

async function collectImages({ cri, logger, signal }: HousekeepingOptions): Promise<void> {
  const [store] = await cri.imageFsInfo(signal);
  if (store?.fsId === undefined) return;
  const { blocks, bfree, bsize } = await statfs(store.fsId.mountpoint);
  const disk = { sizeBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize };
  const [images, containers] = await Promise.all([cri.listImages(signal), cri.listContainers({}, signal)]);
  for (const id of planImageCollection(images, containers, disk)) {
    logger.info('removing an unused image, the disk is filling up', { id });
    await cri.removeImage(id, signal);
  }
}
