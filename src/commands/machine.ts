// What commands that change this machine need, put together in one place: the host with its journal, the services, and how
// to start this very program again.

import { readFile, realpath } from 'node:fs/promises';
import { CodedError, codeOf } from '../base/index.ts';
import { architectureOfThis, installedProgram, installTree, readTree, rootOf } from '../bundle/index.ts';
import { clientFromKubeconfig, type HttpApiClient } from '../client/index.ts';
import { paths } from '../config/index.ts';
import {
  createFileJournal,
  createLocalHost,
  createServices,
  createTracingHost,
  type Host,
  type Journal,
  type Services,
} from '../host/index.ts';

export interface Machine {
  readonly host: Host;
  readonly journal: Journal;
  readonly services: Services;
  /** node and the k8ts script, both absolute, as services start them. */
  readonly program: readonly string[];
  /** Puts the program where `program` says; does nothing when that is where it runs. */
  readonly installProgram: (host: Host) => Promise<void>;
}

export type ServiceManager = 'auto' | 'systemd' | 'supervisor';

export interface MachineOptions {
  readonly manager?: ServiceManager;
  /** 0: quiet. From 1 on, every command and change is said on standard error. */
  readonly verbosity?: number;
  /** The command installs the program before it starts services (init, join); default: services start the one that runs now. */
  readonly installs?: boolean;
}

export async function openMachine(options: MachineOptions = {}): Promise<Machine> {
  const { manager = 'auto', verbosity = 0, installs = false } = options;
  const journal = createFileJournal();
  const local = createLocalHost({ journal });
  const host = verbosity > 0 ? createTracingHost(local, (line) => process.stderr.write(`  + ${line}\n`)) : local;
  const own = installs
    ? await programToInstall()
    : { program: await ownProgram(), installProgram: async () => undefined };
  const kind = manager === 'auto' ? undefined : manager;
  const services = await createServices(host, { program: own.program, kind });
  return { host, journal, services, ...own };
}

/** How this program was started, by absolute paths and with Node's flags. */
async function ownProgram(): Promise<readonly string[]> {
  return [process.execPath, ...process.execArgv, await realpath(process.argv[1] ?? '')];
}

/** The program as it will be installed. One that runs from its sources is not installed: services start the sources too. */
export async function programToInstall(): Promise<Pick<Machine, 'program' | 'installProgram'>> {
  const own = await ownProgram();
  const root = rootOf(own.at(-1) ?? '');
  if (root === undefined) return { program: own, installProgram: async () => undefined };
  return {
    program: installedProgram(process.execArgv),
    installProgram: async (host) => installTree(host, await readTree(root, architectureOfThis())),
  };
}

/** A client from a kubeconfig file. @throws CodedError KUBECONFIG_ABSENT */
export async function openClient(file: string | undefined): Promise<HttpApiClient> {
  const path = file ?? process.env['KUBECONFIG'] ?? paths.adminConf;
  try {
    return await clientFromKubeconfig(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES') throw error;
    throw new CodedError('KUBECONFIG_ABSENT', `kubeconfig ${path} cannot be read (${codeOf(error)})`, {
      exit: 'invalidInput',
      hint: `run this on the master as root, or pass --kubeconfig`,
      cause: error,
    });
  }
}

/** @throws CodedError NOT_ROOT */
export function requireRoot(command: string): void {
  if (process.getuid?.() === 0) return;
  throw new CodedError('NOT_ROOT', `k8ts ${command} changes this machine, which only root may do`, {
    exit: 'preflight',
    hint: `sudo k8ts ${command} …`,
  });
}
