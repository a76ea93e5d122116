// Keeps the components' thread alive: started anew with back-off when it dies, stopped with the process.

import type { Worker } from 'node:worker_threads';
import { createBackoff, createWorker, type Logger, messageOf } from '../base/index.ts';
import type { ComponentsConfig } from './components.ts';

export interface ComponentsThread {
  /** Resolves when controllers and scheduler work for the first time. */
  readonly ready: Promise<void>;
  /** `restarts` counts those after failures. */
  state(): { readonly isUp: boolean; readonly restarts: number };
  /** Asks the thread itself, which answers unless it hangs: why it does not work, undefined when it does. */
  whyNot(): Promise<string | undefined>;
  /** Their kubeconfigs have changed: they speak under the new identities, without a restart. */
  renew(): Promise<void>;
  /** The CA has changed, which each of them has read at its start. What they decide is level-driven: nothing is lost. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const entryPoint = { from: import.meta.url, source: './components-worker.ts', bundled: 'components-worker.js' };
const stopTimeout = 5000;
const notUp = 'controllers and scheduler are being started';
/** V8's default lets garbage grow to 48 MB before it is looked at. */
const youngGenerationMb = 12;
/** A thread that lived this long was well; the next failure starts with the first delay again. */
const wellAfter = 60_000;

export function startComponentsThread(config: ComponentsConfig, logger: Logger): ComponentsThread {
  const backoff = createBackoff({ initial: 500, max: 30_000 });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let isUp = false;
  let restarts = 0;
  let asked: PromiseWithResolvers<string | undefined> | undefined;
  const nothingToDo = config.controllers === 'none' && !config.scheduler;

  function start(): void {
    const started = Date.now();
    const thread = createWorker(entryPoint, {
      workerData: config,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    });
    worker = thread;
    thread.on('message', (message) => {
      if (message === 'well') answer(undefined);
      if (message !== 'ready') return;
      isUp = true;
      resolve();
    });
    thread.on('error', (error) => {
      if (worker === thread) logger.error('controllers and scheduler failed', { error: messageOf(error) });
    });
    thread.on('exit', () => {
      if (worker !== thread) return; // it was ended
      isUp = false;
      answer(notUp);
      restarts += 1;
      if (Date.now() - started > wellAfter) backoff.reset();
      const delay = backoff.next();
      logger.warn('controllers and scheduler ended, starting them again', { delayMs: delay });
      timer = setTimeout(start, delay);
    });
  }

  /** To everybody who asked since the last answer. */
  function answer(why: string | undefined): void {
    asked?.resolve(why);
    asked = undefined;
  }

  async function end(): Promise<void> {
    clearTimeout(timer);
    const ending = worker;
    worker = undefined;
    isUp = false;
    answer(notUp);
    if (ending === undefined) return;
    const exited = new Promise((done) => ending.once('exit', done));
    ending.postMessage('stop');
    const timeout = setTimeout(() => void ending.terminate(), stopTimeout);
    await exited;
    clearTimeout(timeout);
  }

  if (nothingToDo) resolve();
  else start();
  return {
    ready,
    state: () => ({ isUp: isUp || nothingToDo, restarts }),
    whyNot() {
      if (worker === undefined || !isUp) return Promise.resolve(notUp);
      if (asked === undefined) {
        asked = Promise.withResolvers();
        worker.postMessage('health');
      }
      return asked.promise;
    },
    async renew() {
      worker?.postMessage('renew');
    },
    async restart() {
      if (nothingToDo) return;
      await end();
      if (!stopped) start();
    },
    async stop() {
      stopped = true;
      await end();
    },
  };
}
