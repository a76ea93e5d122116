// One `up` at a time on a machine. The lock is a kernel lock (flock(2)) that a small script holds there for as long as the
// connection lives and we give a sign of life: it ends with whoever held it, so there is no stale lock to clean up, not
// after kill -9, and half a minute after a network that went away without a word.

import { hostname, userInfo } from 'node:os';
import { Readable } from 'node:stream';
import { CodedError, messageOf } from '../base/index.ts';
import type { SshHost } from '../host/index.ts';
import { notRoot } from './observe.ts';

const lockPath = '/run/k8ts-up.lock';
/** ms between signs of life; the script waits three times as long. */
const beat = 10_000;
const refused = 75;
const isNotRoot = 77;

/** $1 who we are. A file that was removed while we waited for its lock is not the one that others see: start again. */
const script = `
[ "$(id -u)" = 0 ] || exit ${isNotRoot}
while :; do
  exec 9>>${lockPath}
  flock -n 9 || { cat ${lockPath}; exit ${refused}; }
  [ /proc/$$/fd/9 -ef ${lockPath} ] && break
done
echo "$1" >${lockPath}
echo locked
while sign=$(timeout ${(3 * beat) / 1000} head -n 1) && [ -n "$sign" ]; do :; done
rm -f ${lockPath}
`;

export interface HostLock {
  /** Resolves when others can have the lock. */
  release(): Promise<void>;
}

/** @throws CodedError UP_LOCKED naming who has it; NOT_ROOT; COMMAND_NOT_FOUND without util-linux */
export async function lockHost(host: SshHost, signal: AbortSignal): Promise<HostLock> {
  const who = `${userInfo().username}@${hostname()} (process ${process.pid}) since ${new Date().toISOString()}`;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const signs = new Readable({ read: () => undefined });
  let output = '';
  const held = host.run('sh', ['-c', script, 'k8ts', who], {
    stdin: signs,
    timeout: 2 ** 31 - 1,
    onOutput(text) {
      output += text;
      if (output.endsWith('locked\n')) resolve();
    },
  });
  const timer = setInterval(() => signs.push('.\n'), beat);
  const stop = (): void => {
    clearInterval(timer);
    if (!signs.readableEnded) signs.push(null);
  };
  signal.addEventListener('abort', stopUnlessHeld, { once: true });
  function stopUnlessHeld(): void {
    reject(signal.reason);
  }
  const ended = held.then(
    () => undefined,
    (error: unknown) => {
      stop();
      reject(explain(host, output, error));
    },
  );
  try {
    await promise;
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stopUnlessHeld);
  }
  return {
    async release() {
      stop();
      await ended;
    },
  };
}

function explain(host: SshHost, output: string, error: unknown): unknown {
  if (messageOf(error).includes(`exit code ${isNotRoot}`)) return notRoot(host.name);
  if (!messageOf(error).includes(`exit code ${refused}`)) return error;
  const who = output.trim() === '' ? 'somebody' : output.trim();
  return new CodedError('UP_LOCKED', `another k8ts up works on ${host.name}: ${who}`, {
    hint: 'wait until it has ended and run the command again; a lock of one that died ends by itself within half a minute',
  });
}
