// Tells when something in some folders changed, by the kernel's notices (inotify), so that nobody has to look again and
// again. One command writes several files; they are told of together once it is quiet.

import { type FSWatcher, watch } from 'node:fs';
import { type Logger, messageOf } from '../base/index.ts';

/** ms without a further change. */
const quiet = 200;

/** Calls `changed` until `signal` aborts. A folder that cannot be watched is logged and left out. */
export function followFolders(
  folders: readonly string[],
  changed: () => void,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): void {
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, quiet);
  };
  for (const folder of new Set(folders)) {
    const failed = (error: unknown): void =>
      logger.warn('changes are not noticed there', { folder, error: messageOf(error) });
    try {
      watchers.push(watch(folder, { persistent: false }, later).on('error', failed));
    } catch (error) {
      failed(error);
    }
  }
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
    { once: true },
  );
}
