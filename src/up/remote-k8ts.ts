// Runs the k8ts that is installed on a machine, follows the phases that it prints, and makes of its error one that says the
// same here: code, cause, next step. What it is told is a file that only root can read there, because arguments are shown to
// every user of a machine and hold a token.

import { dump } from 'js-yaml';
import { CodedError, redact } from '../base/index.ts';
import { currentLink } from '../bundle/index.ts';
import type { SshHost } from '../host/index.ts';

interface RemoteRun {
  readonly host: SshHost;
  /** init, join, reset */
  readonly command: string;
  readonly args: readonly string[];
  /** Passed as --config. */
  readonly document?: object;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

const runDir = '/run/k8ts-up';
/** ms; init and join wait for a node to become Ready, at most two minutes each. */
const patience = 10 * 60_000;

/** @throws CodedError with the code, message and hint of the k8ts over there; K8TS_FAILED when it printed none */
export async function runRemoteK8ts({ host, command, args, document, signal, onLine }: RemoteRun): Promise<void> {
  const config = `${runDir}/${command}.yaml`;
  if (document !== undefined) {
    await host.makeDir(runDir, { mode: 0o700 });
    await host.writeFile(config, dump(document, { lineWidth: -1 }), { mode: 0o600 });
  }
  let open = '';
  try {
    const { code, stdout, stderr } = await host.run(
      `${currentLink}/bin/k8ts`,
      [command, ...args, ...(document === undefined ? [] : ['--config', config])],
      {
        signal,
        timeout: patience,
        accept: [1, 2, 3],
        onOutput(text) {
          const lines = `${open}${text}`.split('\n');
          open = lines.pop() ?? '';
          for (const line of lines) if (line.trim() !== '') onLine(line.trim());
        },
      },
    );
    if (code !== 0) throw remoteError(`k8ts ${command}`, code, `${stdout}\n${stderr}`);
  } finally {
    if (document !== undefined) await host.remove(runDir, { recursive: true }).catch(() => undefined); // /run is emptied at boot
  }
}

/** The last `error: … [CODE]` with what was printed before it, and its `what to do:`. */
function remoteError(command: string, code: number, output: string): CodedError {
  const all = redact(output.trim());
  const [, message, id] = /^error: ([\s\S]*?) \[([A-Z0-9_]+)\]$/m.exec(all) ?? [];
  const hint = /^ {2}what to do: (.*)$/m.exec(all)?.[1];
  if (message === undefined || id === undefined) {
    return new CodedError('K8TS_FAILED', `${command} ended with exit code ${code}\n${all.slice(-2000)}`, {
      hint: 'run it by hand on that machine',
    });
  }
  return new CodedError(id, `${command}: ${message}`, hint === undefined ? {} : { hint });
}
