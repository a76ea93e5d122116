// `import { startControlPlane } from 'k8ts/testing'`: a real control plane inside a test process. The same API server,
// admission, authorization, controllers and scheduler as on a master; only its state is in memory unless a file is asked
// for. Each call makes a cluster of its own on a free port of 127.0.0.1, so tests can run side by side.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type LogLevel } from '../base/index.ts';
import { ensureCredentials, standaloneConfig, startComponentsHere, startServer } from '../daemons/index.ts';

export interface ControlPlaneOptions {
  /** `memory` (default): gone when it stops. `file`: SQLite in `dataDir`, there again at the next start. */
  readonly store?: 'memory' | 'file';
  /** Certificates, kubeconfigs and state. Default: a temporary folder, removed by stop(). */
  readonly dataDir?: string;
  /** Which controllers run: none (default, as an operator's tests mostly want it), all, or upstream's names. */
  readonly controllers?: 'none' | 'all' | readonly string[];
  /** Whether Pods are bound to Nodes; default false. */
  readonly scheduler?: boolean;
  /** Lines below this level are not printed; default warn. */
  readonly logLevel?: LogLevel;
}

export interface ControlPlane {
  /** https://127.0.0.1:port */
  readonly url: string;
  /** An administrator's kubeconfig, as text and as a file. */
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
  /** Ends it; nothing stays behind unless `dataDir` was given. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane and resolves when it answers.
 * @throws CodedError for a folder or a store that can't be used.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { store = 'memory', controllers = 'none', scheduler = false, logLevel = 'warn' } = options;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'k8ts-')));
  const cleanUp = async (): Promise<void> => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const stopping = new AbortController();
  try {
    const memory = store === 'memory';
    const config = await standaloneConfig({
      dataDir,
      bindAddress: '127.0.0.1',
      port: 0,
      memory,
      controllers,
      scheduler,
    });
    const logger = createLogger({ level: logLevel });
    const server = await startServer(config, {
      logger,
      signal: stopping.signal,
      run: startComponentsHere,
      prepare: () => ensureCredentials(config),
    });
    const kubeconfigPath = join(dataDir, 'admin.conf');
    return {
      url: server.url,
      kubeconfig: await readFile(kubeconfigPath, 'utf8'),
      kubeconfigPath,
      async stop() {
        stopping.abort();
        await server.stop();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
