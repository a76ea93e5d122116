// The image that every sandbox starts from, made here when the runtime has none: a machine without a registry could not
// start its first pod otherwise. Looked for at each start of the agent, because somebody may have removed it.

import { type Logger, messageOf } from '../base/index.ts';
import type { Cri } from '../cri/index.ts';
import type { Host } from '../host/index.ts';
import { ensurePauseImage } from '../images/index.ts';

export interface SandboxImageDeps {
  readonly cri: Pick<Cri, 'sandboxImage' | 'imageStatus'>;
  readonly host: Host;
  readonly criSocket: string;
  readonly logger: Logger;
}

/** Not an error when it cannot be made: the runtime tries to pull it then. */
export async function provideSandboxImage(
  { cri, host, criSocket, logger }: SandboxImageDeps,
  signal: AbortSignal,
): Promise<void> {
  try {
    const image = await cri.sandboxImage(signal);
    if (image === undefined || (await cri.imageStatus(image, signal)) !== undefined) return;
    await ensurePauseImage(host, { criSocket }, image);
    logger.info('made the image that sandboxes start from', { image });
  } catch (error) {
    signal.throwIfAborted();
    logger.warn('the image that sandboxes start from was not made; the runtime has to pull it', {
      error: messageOf(error),
    });
  }
}
