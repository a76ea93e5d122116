// The two long-lived commands of a control plane. Each runs until `signal` aborts or the server can't go on.

import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, createLogger, type Logger } from '../base/index.ts';
import type { ApiServerSettings } from '../config/index.ts';
import { announceReady } from '../host/index.ts';
import type { RunningServer } from './server.ts';
import { startServer } from './start-server.ts';

/** `k8ts run server`: from the configuration file that init wrote. */
export async function runServer(configPath: string, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ fields: { process: 'server' } });
  const { loadServerConfig } = await import('../config/index.ts');
  const server = await startServer(await loadServerConfig(configPath), { logger, signal });
  await announceReady();
  await untilEnd(server, signal, logger);
}

export interface ControlPlaneOptions {
  /** Certificates, kubeconfigs and state; made when absent. */
  readonly dataDir: string | undefined;
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where an administrator's kubeconfig is put besides DIR/admin.conf. */
  readonly writeKubeconfig: string | undefined;
  readonly controllers: 'all' | 'none' | readonly string[];
  readonly scheduler: boolean;
  readonly apiServer?: ApiServerSettings | undefined;
}

/** `k8ts run control-plane`: the control plane alone, in the foreground; one line on standard output when it is ready. */
export async function runControlPlane(options: ControlPlaneOptions, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ level: 'warn', fields: { process: 'control-plane' } });
  const { ensureCredentials, standaloneConfig } = await import('./standalone.ts');
  const config = await standaloneConfig({ ...options, dataDir: dataDirOf(options) });
  const admin = join(config.kubeconfigDir, 'admin.conf');
  const server = await startServer(config, { logger, signal, prepare: () => ensureCredentials(config) });
  if (options.writeKubeconfig !== undefined) await copyFile(admin, options.writeKubeconfig);
  process.stdout.write(`ready ${server.url} kubeconfig ${options.writeKubeconfig ?? admin}\n`);
  await untilEnd(server, signal, logger);
}

async function untilEnd(server: RunningServer, signal: AbortSignal, logger: Logger): Promise<void> {
  const aborted = new Promise<undefined>((done) => {
    if (signal.aborted) done(undefined);
    signal.addEventListener('abort', () => done(undefined), { once: true });
  });
  const failure = await Promise.race([aborted, server.failed]);
  logger.info(failure === undefined ? 'stopping' : 'the server can not go on', { error: failure });
  await server.stop();
  if (failure !== undefined) throw failure;
}

function dataDirOf({ dataDir }: ControlPlaneOptions): string {
  if (dataDir === undefined) {
    throw new CodedError('USAGE', '--data-dir is missing: where should state and certificates be kept?', {
      exit: 'invalidInput',
      hint: 'k8ts run control-plane --data-dir DIR',
    });
  }
  return dataDir;
}
