// The container runtime: what it says of itself over CRI, and its process, which tells what it is allowed to do.

import { CodedError } from '../../base/index.ts';
import type { CgroupDriver, Cri, RuntimeCondition } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import { readText } from './read.ts';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export type Runtime =
  | {
      readonly name: string;
      readonly version: string;
      readonly conditions: readonly RuntimeCondition[];
      readonly cgroupDriver: CgroupDriver;
    }
  | { readonly problem: Problem };

export interface RuntimeProcess {
  /** containerd; the name of the process. */
  readonly program: string;
  /** Its configuration file, whether that exists or not. */
  readonly configFile: string;
  readonly mayRaisePriority: boolean;
  readonly restrictsOomScore: boolean;
}

export async function readRuntime(
  cri: Pick<Cri, 'version' | 'status' | 'cgroupDriver'>,
  signal: AbortSignal | undefined,
): Promise<Runtime> {
  try {
    const { runtimeName, runtimeVersion } = await cri.version(signal);
    const { conditions } = await cri.status(signal);
    return { name: runtimeName, version: runtimeVersion, conditions, cgroupDriver: await cri.cgroupDriver(signal) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { problem: { code: error.code, message: error.message, hint: error.hint } };
  }
}

/** Who listens on the runtime's socket, its capabilities (proc(5), CapEff) and its configuration file. */
export async function readRuntimeProcess(host: Host, criSocket: string): Promise<RuntimeProcess | undefined> {
  const socket = criSocket.replace(/^unix:\/\//, '');
  const { stdout } = await host.run('ss', ['-Hlxp', 'src', socket], { readsOnly: true, accept: [1, 255] });
  const [, program = '', pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(stdout) ?? [];
  if (pid === undefined) return undefined;
  const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(await readText(host, `/proc/${pid}/status`))?.[1] ?? '0';
  const words = (await readText(host, `/proc/${pid}/cmdline`)).split('\0');
  const flag = words.findIndex((word) => word === '--config' || word === '-c');
  const configFile = flag < 0 ? '/etc/containerd/config.toml' : (words[flag + 1] ?? '');
  return {
    program,
    configFile,
    mayRaisePriority: (BigInt(`0x${capabilities}`) & (1n << 24n)) !== 0n, // CAP_SYS_RESOURCE
    restrictsOomScore: /^\s*restrict_oom_score_adj\s*=\s*true/m.test(await readText(host, configFile)),
  };
}
