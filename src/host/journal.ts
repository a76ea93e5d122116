// The journal: one line of JSON per change to the machine, on disk before the change is made, so that reset can take back
// exactly what was done, whoever was killed in between. Appended to by init and by the daemons, which is why the file is
// read again whenever it grew. A list kept in memory and written at the end was refused: Ctrl-C would lose it.
//
//   {"time":"2026-01-31T10:00:00.000Z","kind":"sysctl","key":"net.ipv4.ip_forward","before":"0"}

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../base/index.ts';
import type { Change } from './host.ts';

export interface Journal {
  /** Durable when it resolves. A change that is noted already, or lies in a folder that is noted as ours, is left out. */
  note(change: Change): Promise<void>;
  /** True when undoing the journal removes or restores `path` anyway. */
  covers(path: string): Promise<boolean>;
  /** Oldest first. */
  changes(): Promise<readonly Change[]>;
  /** Keeps only `changes`; with none the journal is removed. */
  replace(changes: readonly Change[]): Promise<void>;
}

/** Where the journal of a machine is. */
export const journalPath = '/var/lib/k8ts/journal.jsonl';

/** What a change is about; the first note of a subject holds the state before k8ts, so later ones add nothing. */
export function subjectOf(change: Change): string {
  switch (change.kind) {
    case 'file':
    case 'directory':
    case 'mount':
      return `${change.kind} ${change.path}`;
    case 'sysctl':
      return `sysctl ${change.key}`;
    case 'route':
      return `route ${change.destination} ${change.device}`;
    case 'nft-table':
      return `nft-table ${change.family} ${change.name}`;
    case 'iptables-chain':
      return `iptables-chain ${change.table} ${change.chain}`;
    case 'swap':
      return `swap ${change.device}`;
    default:
      return `${change.kind} ${change.name}`;
  }
}

export function createFileJournal(path: string = journalPath): Journal {
  const known = createIndex();
  let size = 0;
  let torn = false;
  let queue: Promise<unknown> = Promise.resolve();

  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };

  const refresh = async (): Promise<void> => {
    const text = await readIfExists(path);
    if (text.length === size) return;
    known.clear();
    for (const change of parseJournal(text)) known.add(change);
    size = text.length;
    torn = text !== '' && !text.endsWith('\n');
  };

  const append = async (change: Change): Promise<void> => {
    const line = `${torn ? '\n' : ''}${JSON.stringify({ time: new Date().toISOString(), ...change })}\n`;
    const file = await open(path, 'a', 0o600);
    try {
      await file.appendFile(line);
      await file.datasync();
    } finally {
      await file.close();
    }
    torn = false;
    await refresh();
  };

  const makeFolder = async (): Promise<void> => {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (made !== undefined) await append({ kind: 'directory', path: made });
  };

  return {
    note: (change) =>
      inOrder(async () => {
        await refresh();
        if (known.has(change)) return;
        await makeFolder();
        if (!known.has(change)) await append(change);
      }),
    covers: (at) =>
      inOrder(async () => {
        await refresh();
        return known.covers(at);
      }),
    changes: () =>
      inOrder(async () => {
        await refresh();
        return known.all();
      }),
    replace: (changes) =>
      inOrder(async () => {
        if (changes.length === 0) await rm(path, { force: true });
        else await rewrite(path, changes);
        size = -1;
        await refresh();
      }),
  };
}

/** For tests and for recording hosts. */
export function createMemoryJournal(): Journal {
  const known = createIndex();
  return {
    note: async (change) => {
      if (!known.has(change)) known.add(change);
    },
    covers: async (path) => known.covers(path),
    changes: async () => known.all(),
    replace: async (changes) => {
      known.clear();
      for (const change of changes) known.add(change);
    },
  };
}

/** A line that does not parse was being written when its writer died; its change was never made. */
export function parseJournal(text: string): Change[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      const { time: _time, ...change } = JSON.parse(line) as Change & { readonly time?: string };
      return [change as Change];
    } catch {
      return [];
    }
  });
}

function createIndex() {
  let list: Change[] = [];
  const subjects = new Set<string>();
  const folders = new Set<string>();
  const covers = (path: string): boolean => {
    for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) if (folders.has(at)) return true;
    return false;
  };
  return {
    add(change: Change): void {
      list.push(change);
      subjects.add(subjectOf(change));
      if (change.kind === 'directory' && change.shared !== true) folders.add(change.path);
    },
    has: (change: Change): boolean =>
      subjects.has(subjectOf(change)) ||
      ((change.kind === 'file' || change.kind === 'directory') && covers(change.path)),
    covers: (path: string): boolean => covers(path) || subjects.has(`file ${path}`),
    all: (): readonly Change[] => [...list],
    clear(): void {
      list = [];
      subjects.clear();
      folders.clear();
    },
  };
}

async function rewrite(path: string, changes: readonly Change[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const time = new Date().toISOString();
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(changes.map((change) => `${JSON.stringify({ time, ...change })}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function readIfExists(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
