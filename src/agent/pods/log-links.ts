// /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log, a link to each container's log. Log shippers (fluent-bit, promtail,
// vector) find containers by these names. A link that cannot be made costs no container its start.

import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/index.ts';
import { messageOf } from '../../base/index.ts';
import { nameOf } from './identity.ts';
import type { PodWorld } from './world.ts';

export async function linkLog(
  world: PodWorld,
  pod: Pod,
  container: string,
  { id, logPath }: { readonly id: string; readonly logPath: string },
): Promise<void> {
  try {
    await symlink(logPath, linkOf(world, pod, container, id));
  } catch (error) {
    world.logger.debug('log not linked', { id, error: messageOf(error) });
  }
}

export async function unlinkLog(world: PodWorld, pod: Pod, container: string, id: string): Promise<void> {
  await rm(linkOf(world, pod, container, id), { force: true });
}

function linkOf({ paths }: PodWorld, pod: Pod, container: string, id: string): string {
  const { name, namespace } = nameOf(pod);
  return join(paths.logLinks, `${name}_${namespace}_${container}-${id}.log`);
}
