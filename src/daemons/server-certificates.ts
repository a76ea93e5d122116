// The API server's side of certificate renewal: notices that files changed, and hands over what did to whom it concerns.
// Who renews is certificate-keeper.ts, in the components' thread, or a person with `k8ts certs`; files are all that is
// between them.

import { join } from 'node:path';
import { type Logger, messageOf } from '../base/index.ts';
import type { ServerConfig } from '../config/index.ts';
import type { ComponentsThread } from './components-thread.ts';
import { followFolders } from './file-changes.ts';
import { readIfThere, readServerMaterial, type ServerMaterial } from './server-material.ts';

export interface FollowOptions {
  /** What the server was started with. */
  readonly material: ServerMaterial;
  /** New connections use it; open ones, watches among them, go on as they are. */
  readonly use: (material: ServerMaterial) => void;
  readonly components: Pick<ComponentsThread, 'renew' | 'restart'>;
  /** Whose changes are followed. */
  readonly folders: readonly string[];
  readonly logger: Logger;
}

interface Seen {
  readonly material: string;
  /** The CA and its key. */
  readonly authority: string;
  /** The kubeconfigs of controllers and scheduler. */
  readonly identities: string;
}

/** Works until `signal` aborts. */
export async function followCertificates(
  { certDir, kubeconfigDir }: Pick<ServerConfig, 'certDir' | 'kubeconfigDir'>,
  { material, use, components, folders, logger }: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  let seen = await see(material);
  let work: Promise<void> = Promise.resolve();

  async function see(current: ServerMaterial): Promise<Seen> {
    const textsOf = async (folder: string, names: readonly string[]): Promise<string> =>
      (await Promise.all(names.map((name) => readIfThere(join(folder, name))))).join('\n');
    return {
      material: JSON.stringify(current),
      authority: await textsOf(certDir, ['ca.crt', 'ca.key']),
      identities: await textsOf(kubeconfigDir, ['controller-manager.conf', 'scheduler.conf']),
    };
  }

  async function takeOver(): Promise<void> {
    if (signal.aborted) return;
    const current = await readServerMaterial(certDir);
    const [before, now] = [seen, await see(current)];
    seen = now;
    if (now.material !== before.material) {
      use(current);
      logger.info('certificates taken over from disk');
    }
    if (now.authority !== before.authority) await components.restart();
    else if (now.identities !== before.identities) await components.renew();
  }

  const changed = (): void => {
    work = work.then(takeOver).catch((error: unknown) => {
      logger.warn('certificates on disk are not usable now', { error: messageOf(error) });
    });
  };
  followFolders(folders, changed, { logger, signal });
  // What changed between the reading and now was not told of.
  changed();
}
