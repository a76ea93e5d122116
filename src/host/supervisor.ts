// The supervisor: one small process per machine that keeps services running where there is no systemd. It listens on a unix
// socket (mode 0600 in a 0700 folder), starts every installed service when it starts itself, except those that were stopped
// by hand, and keeps their logs bounded. It signals only processes that it started, or that an earlier supervisor noted.

import { existsSync, watch } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, type Logger, messageOf } from '../base/index.ts';
import { formatProcess, identifyProcess } from './processes.ts';
import type { ServiceSpec, ServiceStatus } from './services.ts';
import { createSupervisedChild, type SupervisedChild } from './supervised-child.ts';
import {
  answers,
  type SupervisorAnswer,
  type SupervisorPaths,
  type SupervisorRequest,
  supervisorPaths,
} from './supervised-services.ts';

export interface SupervisorOptions {
  readonly log: Logger;
  /** Aborting ends every service, then the supervisor. */
  readonly signal: AbortSignal;
  readonly paths?: SupervisorPaths;
  /** A log larger than this, bytes, is rotated; three old ones are kept. */
  readonly logBound?: number;
}

const absent: ServiceStatus = { state: 'absent', restarts: 0 };
const rotateEvery = 60_000;
const keptLogs = 3;
/** ms that a client may be silent before it has sent its request. */
const idleBound = 5000;
/** ms that a supervisor may take from its lock to its socket. */
const lockPatience = 3000;

/** Resolves when it was told to end and every service is gone; at once when another supervisor runs already. */
export async function runSupervisor(options: SupervisorOptions): Promise<void> {
  const { log, signal, paths = supervisorPaths, logBound = 10 * 1024 * 1024 } = options;
  const stateDir = join(paths.runDir, 'services');
  const socket = join(paths.runDir, 'supervisor.sock');
  const pidFile = join(paths.runDir, 'supervisor.pid');
  const children = new Map<string, SupervisedChild>();
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await mkdir(paths.logDir, { recursive: true, mode: 0o750 });

  const stoppedMark = (name: string): string => join(stateDir, `${name}.stopped`);
  const childOf = async (name: string): Promise<SupervisedChild> => {
    const have = children.get(name);
    if (have !== undefined) return have;
    const child = createSupervisedChild({ spec: await readSpec(paths, name), paths, log });
    children.set(name, child);
    return child;
  };
  const stop = async (name: string): Promise<void> => {
    await children.get(name)?.stop();
    children.delete(name); // the next start reads its spec anew
  };

  const end = Promise.withResolvers<void>();
  const carryOut = async (request: SupervisorRequest): Promise<ServiceStatus> => {
    switch (request.do) {
      case 'watch':
        throw new Error('a watch is a connection, not a request');
      case 'shutdown':
        setImmediate(end.resolve);
        return absent;
      case 'start': {
        await rm(stoppedMark(request.name), { force: true });
        const child = await childOf(request.name);
        await child.start();
        return child.status();
      }
      case 'stop':
        await writeFile(stoppedMark(request.name), '');
        await stop(request.name);
        return { state: 'stopped', restarts: 0 };
      case 'forget':
        await stop(request.name);
        await rm(stoppedMark(request.name), { force: true });
        return absent;
      case 'restart': {
        await stop(request.name);
        const child = await childOf(request.name);
        await child.start();
        return child.status();
      }
      case 'status':
        return children.get(request.name)?.status() ?? { state: 'stopped', restarts: 0 };
    }
  };

  // One request at a time for each service: a start must not overtake the stop before it.
  const queues = new Map<string, Promise<unknown>>();
  const inTurn = (request: SupervisorRequest): Promise<ServiceStatus> => {
    if (!('name' in request) || request.do === 'status') return carryOut(request);
    const done = (queues.get(request.name) ?? Promise.resolve()).then(() => carryOut(request));
    queues.set(
      request.name,
      done.catch(() => undefined),
    );
    return done;
  };

  // Requests wait until what was installed before has been started: a `forget` must not come before its start.
  const begun = Promise.withResolvers<void>();
  const afterBegin = (request: SupervisorRequest): Promise<ServiceStatus> => begun.promise.then(() => inTurn(request));
  const watchers = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (connection) => void answer(connection, watchers, afterBegin));
  const lock = await lockFor(paths.runDir, socket);
  if (lock === undefined) {
    log.info('another supervisor runs already');
    return;
  }
  const names = await installed(paths);
  if (names.length === 0) {
    lock.close(); // a service that is removed meanwhile had asked for a supervisor
    log.info('there is no service to keep');
    return;
  }
  await rm(socket, { force: true }); // left from a crash
  await listen(server, socket);
  await chmod(socket, 0o600);
  const self = await identifyProcess({ readFileIfExists: (path) => readFile(path) }, process.pid);
  if (self !== undefined) await writeFile(pidFile, formatProcess(self), { mode: 0o600 });
  const watcher = watch(stateDir, () => {
    for (const child of children.values()) void child.checkReady();
  });
  const rotation = setInterval(() => void rotateLogs(paths.logDir, logBound), rotateEvery);
  for (const name of names.filter((each) => !existsSync(stoppedMark(each)))) {
    await inTurn({ do: 'start', name }).catch((error) => log.error('not started', { service: name, error }));
  }
  begun.resolve();
  log.info('supervisor started', { services: names });

  const onAbort = (): void => end.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) end.resolve();
  await end.promise;
  clearInterval(rotation);
  await Promise.all([...children.values()].map((child) => child.stop()));
  watcher.close();
  for (const connection of watchers) connection.end('ended\n');
  await new Promise((resolve) => server.close(resolve)); // answers that are on their way get there
  lock.close();
  await rm(pidFile, { force: true });
  log.info('supervisor ended');
}

/**
 * One supervisor for each folder: an abstract socket, which the kernel gives to one process and takes back when that dies
 * (unix(7)). undefined when another holds it. Somebody else's process could take the name: then nobody answers on the
 * supervisor's own socket, which only root may open, and the name is not waited for.
 */
async function lockFor(runDir: string, socket: string): Promise<Server | undefined> {
  const lock = createServer((connection) => connection.destroy());
  try {
    await listen(lock, `\0k8ts-supervisor ${runDir}`);
    return lock;
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
  }
  const deadline = Date.now() + lockPatience;
  while (Date.now() < deadline) {
    if (await answers(socket)) return undefined;
    await delay(50);
  }
  return lock;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

async function answer(
  connection: Socket,
  watchers: Set<Socket>,
  carryOut: (request: SupervisorRequest) => Promise<ServiceStatus>,
): Promise<void> {
  const text = await readAll(connection);
  if (text === '') return void connection.destroy();
  const reply = (message: SupervisorAnswer): void => void connection.end(`${JSON.stringify(message)}\n`);
  try {
    const request = JSON.parse(text) as SupervisorRequest;
    if (request.do === 'watch') return hold(connection, watchers);
    reply({ ok: true, status: await carryOut(request) });
  } catch (error) {
    reply({ ok: false, message: messageOf(error) });
  }
}

function hold(connection: Socket, watchers: Set<Socket>): void {
  watchers.add(connection);
  connection.on('close', () => watchers.delete(connection));
}

/** What the client sent until it ended its side; '' when it went away. */
function readAll(connection: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    connection.setEncoding('utf8');
    connection.setTimeout(idleBound, () => connection.destroy());
    connection.on('data', (chunk: string) => {
      text += chunk;
    });
    connection.on('end', () => {
      connection.setTimeout(0);
      resolve(text);
    });
    connection.on('close', () => resolve(''));
    connection.on('error', () => resolve(''));
  });
}

async function installed(paths: SupervisorPaths): Promise<string[]> {
  const files = await readdir(paths.specDir).catch(() => []);
  return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
}

async function readSpec(paths: SupervisorPaths, name: string): Promise<ServiceSpec> {
  const path = join(paths.specDir, `${name}.json`);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ServiceSpec;
  } catch (error) {
    throw new Error(`service ${name} is not installed: ${messageOf(error)}`);
  }
}

/**
 * Copies and empties each log that is larger than `bound`. The writer keeps its file open in append mode, so it goes on at
 * the new end; lines written between the copy and the emptying are lost, which renaming and re-opening would need the
 * writer's help to avoid.
 */
export async function rotateLogs(logDir: string, bound: number): Promise<void> {
  for (const file of await readdir(logDir)) {
    const path = join(logDir, file);
    if (!file.endsWith('.log') || (await stat(path)).size <= bound) continue;
    for (let n = keptLogs - 1; n >= 1; n -= 1) {
      await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(() => undefined); // fewer old ones yet
    }
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
  }
}
