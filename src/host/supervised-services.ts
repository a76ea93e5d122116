// Services where there is no systemd: a small process per machine, `k8ts run supervisor`, starts them and is spoken to over
// a unix socket that only root may open. This is its client; it starts the supervisor when it is not there.
//
//   request  {"do":"start","name":"k8ts-server"}\n
//   answer   {"ok":true,"status":{…}}\n   or   {"ok":false,"message":"…"}\n

import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError, codeOf } from '../base/index.ts';
import type { Host } from './host.ts';
import type { ServiceStatus, Services } from './services.ts';

export interface SupervisorPaths {
  /** Socket, pid files; emptied by a reboot. */
  readonly runDir: string;
  readonly logDir: string;
  /** One NAME.json per installed service. */
  readonly specDir: string;
}

export const supervisorPaths: SupervisorPaths = {
  runDir: '/run/k8ts',
  logDir: '/var/log/k8ts',
  specDir: '/etc/k8ts/services',
};

export type SupervisorRequest =
  | { readonly do: 'start' | 'stop' | 'restart' | 'status' | 'forget'; readonly name: string }
  | { readonly do: 'shutdown' }
  /** Not answered until the supervisor ends in good order: whoever holds the connection learns of a crash at once. */
  | { readonly do: 'watch' };

export type SupervisorAnswer =
  | { readonly ok: true; readonly status: ServiceStatus }
  | { readonly ok: false; readonly message: string };

const startDeadline = 10_000;

export function createSupervisedServices(
  host: Host,
  options: { readonly program: readonly string[]; readonly paths: SupervisorPaths },
): Services {
  const { program, paths } = options;
  const specPath = (name: string): string => `${paths.specDir}/${name}.json`;
  const socket = `${paths.runDir}/supervisor.sock`;
  const log = `${paths.logDir}/supervisor.log`;

  const makeFolders = async (): Promise<void> => {
    await host.makeDir(paths.runDir, { mode: 0o700 });
    await host.makeDir(paths.logDir, { mode: 0o750 });
  };
  /** The log and what rotation makes of it; noted one by one for the case that the folder is not ours. */
  const logFiles = (name: string): string[] =>
    ['', '.1', '.2', '.3'].map((suffix) => `${paths.logDir}/${name}.log${suffix}`);

  const ensureSupervisor = async (): Promise<void> => {
    if (await answers(socket)) return;
    await makeFolders();
    await host.record({ kind: 'process', name: 'k8ts-supervisor', pidFile: `${paths.runDir}/supervisor.pid` });
    await startSupervisor(program, paths);
    const deadline = Date.now() + startDeadline;
    while (!(await answers(socket))) {
      if (Date.now() > deadline) {
        throw new CodedError('SUPERVISOR_SILENT', `the supervisor did not open ${socket} within ${startDeadline} ms`, {
          hint: `read ${log}`,
        });
      }
      await delay(15);
    }
  };
  /** Its last act is to remove its pid file. */
  const untilSilent = async (): Promise<void> => {
    const deadline = Date.now() + startDeadline;
    while ((await host.stat(`${paths.runDir}/supervisor.pid`)) !== undefined && Date.now() < deadline) await delay(15);
  };
  const request = async (message: SupervisorRequest): Promise<ServiceStatus> => {
    const answer = await ask(socket, message);
    if (answer.ok) return answer.status;
    throw new CodedError('SERVICE_FAILED', answer.message, { hint: `read ${log}` });
  };
  const isInstalled = async (name: string): Promise<boolean> => (await host.stat(specPath(name))) !== undefined;

  return {
    kind: 'supervisor',
    async install(spec) {
      await makeFolders();
      for (const path of [...logFiles(spec.name), ...logFiles('supervisor')]) {
        if ((await host.stat(path)) === undefined) await host.record({ kind: 'file', path, before: null });
      }
      await host.writeFile(specPath(spec.name), `${JSON.stringify(spec, null, 2)}\n`, { mode: 0o600 });
    },
    async start(name) {
      await ensureSupervisor();
      await request({ do: 'start', name });
    },
    async stop(name) {
      if (await answers(socket)) await request({ do: 'stop', name });
    },
    async restart(name) {
      await ensureSupervisor();
      await request({ do: 'restart', name });
    },
    async status(name) {
      if (!(await isInstalled(name))) return { state: 'absent', restarts: 0 };
      try {
        if (await answers(socket)) return await request({ do: 'status', name });
      } catch (error) {
        if (codeOf(error) !== 'SUPERVISOR_GONE') throw error;
      }
      return { state: 'stopped', restarts: 0, reason: 'the supervisor does not run' };
    },
    async remove(name) {
      // A service that a dead supervisor left running is adopted first, so that it is ended by its identity, not its name.
      if (await isInstalled(name)) {
        await ensureSupervisor();
        await request({ do: 'forget', name });
        await host.remove(specPath(name));
      }
      const left = (await host.stat(paths.specDir)) === undefined ? [] : await host.readDir(paths.specDir);
      if (left.length > 0 || !(await answers(socket))) return;
      await request({ do: 'shutdown' });
      await untilSilent();
    },
    async logs(name, lines) {
      const file = `${paths.logDir}/${name}.log`;
      if ((await host.stat(file)) === undefined) return '';
      return (await host.run('tail', ['-n', String(lines), file], { readsOnly: true })).stdout.trimEnd();
    },
  };
}

/** One request, one answer, one connection. */
export function ask(socket: string, message: SupervisorRequest): Promise<SupervisorAnswer> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let text = '';
    connection.setEncoding('utf8');
    connection.setTimeout(60_000, () => connection.destroy(new Error(`no answer from ${socket} within 60 s`)));
    connection.on('connect', () => connection.end(`${JSON.stringify(message)}\n`));
    connection.on('data', (chunk: string) => {
      text += chunk;
    });
    connection.on('error', (cause) => reject(gone(cause)));
    connection.on('close', () => {
      if (text.endsWith('\n')) resolve(JSON.parse(text) as SupervisorAnswer);
      else reject(gone());
    });
  });
}

function gone(cause?: unknown): CodedError {
  return new CodedError('SUPERVISOR_GONE', 'the supervisor ended before it answered', {
    hint: 'run the command again: it starts the supervisor',
    cause,
  });
}

export function answers(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.on('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', (error) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}

/** Starts one and does not wait for it. One that finds another running leaves at once. */
export async function startSupervisor(program: readonly string[], { logDir }: SupervisorPaths): Promise<void> {
  await startDetached([...program, 'run', 'supervisor'], `${logDir}/supervisor.log`);
}

/** A process of its own session, which outlives this command. */
async function startDetached(command: readonly string[], log: string): Promise<void> {
  const [program = '', ...args] = command;
  await mkdir(log.slice(0, log.lastIndexOf('/')), { recursive: true });
  const output = await open(log, 'a', 0o640);
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', output.fd, output.fd], cwd: '/' });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
  } finally {
    await output.close();
  }
}
