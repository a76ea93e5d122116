// What can be typed after k8ts, read from the table of commands: the shells' scripts are made of this.

import type * as Interfaces from '@oclif/core/interfaces';
import { initPhases } from '../../init/index.ts';
import { joinPhases } from '../../join/index.ts';
import { checks } from '../../preflight/index.ts';
import { resetPhases } from '../../reset/index.ts';
import type { CommandEntry } from '../entry.ts';

export interface CompletedFlag {
  /** Without dashes. */
  readonly name: string;
  readonly char: string | undefined;
  readonly summary: string;
  /** What its value may be: one of these words, a file, or a text that nobody can guess; undefined: it has none. */
  readonly value: readonly string[] | 'file' | 'text' | undefined;
}

export interface CompletedCommand {
  /** As typed: token create. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Words that may follow as its argument. */
  readonly words: readonly string[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;

const phaseNames = (phases: readonly { readonly name: string }[]): readonly string[] => phases.map(({ name }) => name);
const skippable: Readonly<Record<string, readonly string[]>> = {
  init: phaseNames(initPhases),
  'init phase': phaseNames(initPhases),
  join: phaseNames(joinPhases),
  reset: phaseNames(resetPhases),
};
const wordsOf: Readonly<Record<string, readonly string[]>> = {
  'init phase': phaseNames(initPhases),
  'config print': ['init', 'join'],
  completion: shells,
};
const files = /^(config|old-config|new-config|kubeconfig|discovery-file|file|output-file|write-kubeconfig)$/;

type AnyFlag = Interfaces.Flag<unknown> & { readonly hidden?: boolean };

export async function completedCommands(table: readonly CommandEntry[]): Promise<readonly CompletedCommand[]> {
  return Promise.all(
    table.map(async (entry) => ({
      name: entry.name,
      summary: entry.summary,
      flags: 'run' in entry ? daemonFlags(entry.help) : await oclifFlags(entry.name, entry.load),
      words: wordsOf[entry.name] ?? [],
    })),
  );
}

async function oclifFlags(
  command: string,
  load: () => Promise<{ readonly default: unknown }>,
): Promise<readonly CompletedFlag[]> {
  const { flags = {} } = (await load()).default as { readonly flags?: Readonly<Record<string, AnyFlag>> };
  const own = Object.entries(flags)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([name, flag]) => ({
      name,
      char: flag.char,
      summary: flag.summary ?? flag.description ?? '',
      value: takes(command, name, flag),
    }));
  return [...own, { name: 'help', char: 'h', summary: 'Show flags and examples', value: undefined }];
}

function takes(command: string, name: string, flag: AnyFlag): CompletedFlag['value'] {
  if (flag.type === 'boolean') return undefined;
  if (flag.options !== undefined) return flag.options;
  if (name === 'skip-phases') return skippable[command] ?? 'text';
  if (name === 'ignore-preflight-errors') return ['all', ...checks.map(({ id }) => id)];
  return files.test(name) ? 'file' : 'text';
}

/** Daemons have no oclif class; their help is one line: [--config FILE] [--no-scheduler]. */
function daemonFlags(help: string): readonly CompletedFlag[] {
  return [...help.matchAll(/\[--([a-z-]+)( ?[^\]\s]+)?\]/g)].map(([, name = '', value]) => ({
    name,
    char: undefined,
    summary: '',
    value: value === undefined ? undefined : files.test(name) ? 'file' : 'text',
  }));
}

/** Names of commands and of what stands before them: token, token create, … */
export function pathsOf(commands: readonly CompletedCommand[]): readonly string[] {
  const all = commands.flatMap(({ name }) => name.split(' ').map((_, at, words) => words.slice(0, at + 1).join(' ')));
  return [...new Set(all)];
}

/** What may be typed next after the words of `path`: commands and arguments, each with its meaning. */
export function nextWords(
  commands: readonly CompletedCommand[],
  path: string,
): readonly { readonly word: string; readonly summary: string }[] {
  const depth = path === '' ? 0 : path.split(' ').length;
  const below = commands.filter(({ name }) => path === '' || name.startsWith(`${path} `));
  const words = new Map<string, string>();
  for (const { name, summary } of below) {
    const parts = name.split(' ');
    const word = parts[depth] ?? '';
    const isWhole = parts.length === depth + 1;
    const earlier = words.get(word);
    const rest = parts.slice(depth + 1).join(' ');
    const isCommand = commands.some((one) => one.name === `${path} ${word}`.trim());
    if (isWhole) words.set(word, summary);
    else if (!isCommand) words.set(word, earlier === undefined ? rest : `${earlier}, ${rest}`);
  }
  for (const word of commands.find(({ name }) => name === path)?.words ?? []) words.set(word, '');
  return [...words].map(([word, summary]) => ({ word, summary }));
}
