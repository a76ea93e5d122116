// The other half of the supervisor's promise: it starts its services again, and they start it again. Each service that a
// supervisor started holds a connection to it; when that ends without a word the supervisor has crashed, and a new one is
// started, which adopts what runs. Several services may do so at once: the supervisors after the first find the socket
// taken and leave. A pipe from parent to child was refused: an adopted child would have none to its new supervisor.

import { connect } from 'node:net';
import { type Clock, createBackoff, type Logger, messageOf, systemClock } from '../base/index.ts';
import { type SupervisorPaths, startSupervisor, supervisorPaths } from './supervised-services.ts';

export interface SupervisorWatchOptions {
  /** How to run this k8ts: node and script, both absolute. */
  readonly program: readonly string[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly paths?: SupervisorPaths;
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Resolves when `signal` aborts, or the supervisor ends in good order; at once when none started this process. */
export async function watchSupervisor(options: SupervisorWatchOptions): Promise<void> {
  const { program, logger, signal, paths = supervisorPaths, clock = systemClock, env = process.env } = options;
  if (env['K8TS_READY_FILE'] === undefined) return;
  const backoff = createBackoff({ initial: 100, max: 30_000 });
  while (!signal.aborted) {
    const since = clock.now();
    const end = await heldConnection(`${paths.runDir}/supervisor.sock`, signal);
    if (end === 'ended in order' || signal.aborted) return;
    if (clock.now() - since > 30_000) backoff.reset();
    await clock.sleep(backoff.next(), signal).catch(() => undefined);
    if (signal.aborted) return;
    logger.warn('the supervisor is gone, starting it again', { why: end });
    await startSupervisor(program, paths).catch((error: unknown) => {
      logger.error('the supervisor could not be started', { error: messageOf(error) });
    });
  }
}

/** Resolves when the connection is over, with how. */
function heldConnection(socket: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    let end = 'connection lost';
    const abort = (): void => void connection.destroy();
    signal.addEventListener('abort', abort, { once: true });
    connection.on('connect', () => connection.end(`${JSON.stringify({ do: 'watch' })}\n`));
    // The only thing it ever says is that it ends.
    connection.on('data', () => {
      end = 'ended in order';
    });
    connection.on('error', (error) => {
      end = messageOf(error);
    });
    connection.on('close', () => {
      signal.removeEventListener('abort', abort);
      resolve(end);
    });
    if (signal.aborted) abort();
  });
}
