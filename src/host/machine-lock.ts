// One command at a time may change this machine: two inits, or a join and a reset, would undo each other's work. The lock
// is a kernel lock (flock(2)) that a shell holds until the pipe from this process closes, so it ends with this process,
// kill -9 included, and there is never a stale one. The shell has a process group of its own: Ctrl-C is for us alone.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CodedError } from '../base/index.ts';

const refused = 75;

/** $1 who we are, $2 the file. A file that was removed while its lock was waited for is not the one others see. */
const script = `
while :; do
  exec 9>>"$2" || exit
  flock -n 9 || { cat "$2"; exit ${refused}; }
  [ /proc/$$/fd/9 -ef "$2" ] && break
done
echo "$1" >"$2"
echo locked
cat
rm -f "$2"
`;

/**
 * @param command what is done: `init`
 * @returns gives the lock back
 * @throws CodedError MACHINE_BUSY naming who has it, MACHINE_LOCK when there can be none
 */
export async function lockMachine(command: string, path = '/run/k8ts.lock'): Promise<() => Promise<void>> {
  const who = `k8ts ${command} (process ${process.pid}) since ${new Date().toISOString()}`;
  const holder = spawn('sh', ['-c', script, 'k8ts', who, path], { stdio: 'pipe', detached: true });
  const ended = once(holder, 'close');
  let output = '';
  let complaint = '';
  holder.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.on('data', (chunk) => {
      output += chunk;
      if (output === 'locked\n') resolve();
    });
    ended.then(([code]) => reject(whyNot(code, output.trim(), complaint.trim(), path)), reject);
  });
  return async () => {
    holder.stdin.end();
    await ended;
  };
}

function whyNot(code: unknown, holder: string, complaint: string, path: string): CodedError {
  if (code !== refused) {
    return new CodedError('MACHINE_LOCK', `${path} cannot be locked: ${complaint}`, {
      hint: 'see that /run can be written and that flock, of util-linux, is installed',
    });
  }
  const other = holder === '' ? 'another k8ts' : holder;
  return new CodedError('MACHINE_BUSY', `${other} is changing this machine`, {
    hint: 'wait until it has ended, or end it, and run the command again',
  });
}
