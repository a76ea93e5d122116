// One service under the supervisor. The child is a session of its own with its output in a file, so it survives a crash of
// the supervisor; the next supervisor finds it by pid and start time and adopts it.
//
//   stopped ──start──► starting ──ready file──► running ──exit──► waiting ──back-off──► starting
//      ▲                                                             │
//      └─────────────────────────── stop ────────────────────────────┘   (from any state)
//
// An adopted child is not ours to wait for (waitpid), so its end is found by looking once a second.

import { spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backoff, codeOf, createBackoff, type Logger, messageOf } from '../base/index.ts';
import { formatProcess, identifyProcess, type ProcessIdentity, readProcess } from './processes.ts';
import { searchPath } from './run-command.ts';
import type { ServiceSpec, ServiceStatus } from './services.ts';
import type { SupervisorPaths } from './supervised-services.ts';

export interface SupervisedChild {
  readonly name: string;
  start(): Promise<void>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  status(): ServiceStatus;
  /** Called when something changed in the folder of ready files. */
  checkReady(): Promise<void>;
}

export interface ChildOptions {
  readonly spec: ServiceSpec;
  readonly paths: SupervisorPaths;
  readonly log: Logger;
  readonly backoff?: Backoff;
  /** ms between SIGTERM and SIGKILL. */
  readonly patience?: number;
}

interface Run {
  /** Resolves, with how it ended, when the process is gone. */
  readonly ended: Promise<string>;
}

/** A run longer than this, ms, counts as good: the next failure starts with the shortest delay again. */
const goodRun = 30_000;
const files = { readFileIfExists };

export function createSupervisedChild(options: ChildOptions): SupervisedChild {
  const { spec, paths, log, patience = 20_000 } = options;
  const backoff = options.backoff ?? createBackoff({ initial: 250, max: 30_000 });
  const pidFile = join(paths.runDir, 'services', `${spec.name}.pid`);
  const readyFile = join(paths.runDir, 'services', `${spec.name}.ready`);
  let wanted = false;
  let state: ServiceStatus['state'] = 'stopped';
  let running: ProcessIdentity | undefined;
  let reason: string | undefined;
  let runs = 0;
  let life: Promise<void> = Promise.resolve();
  let wake = new AbortController();

  const spawnOnce = async (): Promise<Run> => {
    await rm(readyFile, { force: true });
    const output = await open(join(paths.logDir, `${spec.name}.log`), 'a', 0o640);
    try {
      const [program = '', ...args] = spec.command;
      const child = spawn(program, args, {
        detached: true,
        cwd: '/',
        stdio: ['ignore', output.fd, output.fd],
        env: { PATH: searchPath('/usr/sbin:/usr/bin'), HOME: '/root', ...spec.environment, K8TS_READY_FILE: readyFile },
      });
      const ended = new Promise<string>((resolve) => {
        child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`));
      });
      await new Promise((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      running = await identifyProcess(files, child.pid ?? 0);
      if (running !== undefined) await writeFile(pidFile, formatProcess(running), { mode: 0o600 });
      return { ended };
    } finally {
      await output.close();
    }
  };

  const adopt = async (): Promise<Run | undefined> => {
    running = await readProcess(files, pidFile);
    if (running === undefined) return undefined;
    log.info('adopted', { service: spec.name, pid: running.pid });
    return { ended: untilGone(running) };
  };

  const live = async (): Promise<void> => {
    while (wanted) {
      const since = Date.now();
      runs += 1;
      state = 'starting';
      reason = undefined;
      try {
        const { ended } = (await adopt()) ?? (await spawnOnce());
        log.info('started', { service: spec.name, pid: running?.pid });
        if (!wanted) signalTo(running, 'SIGTERM'); // stopped while it was being started
        await check();
        reason = await ended;
      } catch (error) {
        reason = messageOf(error);
      }
      running = undefined;
      await rm(pidFile, { force: true });
      if (!wanted) break;
      if (Date.now() - since > goodRun) backoff.reset();
      const wait = backoff.next();
      state = 'failed';
      log.warn('ended', { service: spec.name, reason, nextTryMs: wait });
      await delay(wait, undefined, { signal: wake.signal }).catch(() => undefined);
    }
    state = 'stopped';
    await rm(readyFile, { force: true });
  };

  const check = async (): Promise<void> => {
    if (state === 'starting' && (await readFileIfExists(readyFile)) !== undefined) state = 'running';
  };

  return {
    name: spec.name,
    checkReady: check,
    async start() {
      if (wanted) return;
      await life;
      wanted = true;
      wake = new AbortController();
      life = live();
    },
    async stop() {
      wanted = false;
      wake.abort();
      const killer = new AbortController();
      const forced = (async () => {
        signalTo(running, 'SIGTERM');
        await delay(patience, undefined, { signal: killer.signal });
        log.warn('killed', { service: spec.name, afterMs: patience });
        signalTo(running, 'SIGKILL');
      })().catch(() => undefined);
      await life;
      killer.abort();
      await forced;
    },
    status: () => ({
      state,
      restarts: Math.max(0, runs - 1),
      ...(running === undefined ? {} : { pid: running.pid }),
      ...(reason === undefined ? {} : { reason }),
    }),
  };
}

function signalTo(target: ProcessIdentity | undefined, signal: NodeJS.Signals): void {
  if (target === undefined) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function untilGone(target: ProcessIdentity): Promise<string> {
  while ((await identifyProcess(files, target.pid))?.startTime === target.startTime) await delay(1000);
  return 'ended (adopted, so its exit code is not known)';
}

async function readFileIfExists(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined);
}
