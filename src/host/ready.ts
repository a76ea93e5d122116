// How a daemon says that it is ready, under whichever service manager started it: to systemd by sd_notify(3), sent by the
// systemd-notify program, because NOTIFY_SOCKET is a datagram unix socket and Node has none; to the supervisor by a file.

import { writeFile } from 'node:fs/promises';
import { runCommand } from './run-command.ts';

/** Does nothing when no service manager started this process. */
export async function announceReady(env: Readonly<Record<string, string | undefined>> = process.env): Promise<void> {
  const file = env['K8TS_READY_FILE'];
  if (file !== undefined) await writeFile(file, `${process.pid}\n`, { mode: 0o600 });
  else if (env['NOTIFY_SOCKET'] !== undefined) await runCommand('systemd-notify', ['--ready']);
}
