// What a person sees while many machines are worked on. On a terminal: one live line per machine, by listr2. Elsewhere: one
// plain line per step, headed by the machine, so that a log can be searched.

import { CodedError, messageOf } from '../base/index.ts';

export interface UpProgress {
  /** Something was begun on a machine. */
  step(id: string, line: string): void;
  /** What it is at; shown on terminals only, where the next one replaces it. */
  passing(id: string, line: string): void;
  done(id: string, line: string): void;
  failed(id: string, error: unknown): void;
  /** A line about no machine. */
  say(line: string): void;
  /** Resolves when everything is on the screen. */
  end(): Promise<void>;
}

export function createPlainProgress(write: (text: string) => void): UpProgress {
  const line = (id: string, text: string): void => write(`${id}: ${text}\n`);
  return {
    step: line,
    passing: () => undefined,
    done: line,
    failed: (id, error) => line(id, firstLine(error)),
    say: (text) => write(`${text}\n`),
    end: async () => undefined,
  };
}

/** @param ids every machine that will be worked on */
export async function createLiveProgress(ids: readonly string[], write: (text: string) => void): Promise<UpProgress> {
  const { Listr } = await import('listr2');
  const tasks = new Map(
    ids.map((id) => [id, { outcome: Promise.withResolvers<void>(), show: (_text: string): void => undefined }]),
  );
  for (const { outcome } of tasks.values()) outcome.promise.catch(() => undefined); // it may fail before its task began
  const held: string[] = []; // the live list owns the screen until it ends
  const list = new Listr(
    ids.map((id) => ({
      title: id,
      task: (_context: unknown, task: { title: string }) => {
        const entry = tasks.get(id);
        if (entry === undefined) return;
        entry.show = (text) => {
          task.title = `${id}: ${text}`;
        };
        return entry.outcome.promise;
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false, // Ctrl-C is ours: its own listener ends the process at once
      rendererOptions: { collapseErrors: false, showErrorMessage: false },
    },
  );
  const finished = list.run();
  const show = (id: string, text: string): void => tasks.get(id)?.show(text);
  return {
    step: show,
    passing: show,
    done(id, text) {
      show(id, text);
      tasks.get(id)?.outcome.resolve();
    },
    failed(id, error) {
      show(id, firstLine(error));
      tasks.get(id)?.outcome.reject(new Error(firstLine(error)));
    },
    say: (text) => void held.push(text),
    async end() {
      for (const { outcome } of tasks.values()) outcome.resolve();
      await finished;
      for (const text of held.splice(0)) write(`${text}\n`);
    },
  };
}

function firstLine(error: unknown): string {
  const code = error instanceof CodedError ? ` [${error.code}]` : '';
  return `failed: ${messageOf(error).split('\n', 1)[0]}${code}`;
}
