// From the words of a command line to a command: the longest entry of the table that they begin with. Prints help, turns
// oclif's complaints into our own errors, and makes Ctrl-C an abort that commands can end cleanly on.

import { CodedError, describeError, exitCodeOf } from '../base/index.ts';
import type { CommandEntry, DaemonEntry } from './entry.ts';
import { commandTable } from './table.ts';

/** @returns the exit code */
export async function main(argv: readonly string[], version: string): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130); // asked twice: at once
    stop.abort(new CodedError('INTERRUPTED', 'stopped by a signal', { hint: 'run the command again to continue' }));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await run(argv, version, stop.signal);
    return 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return exitCodeOf(error);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function run(argv: readonly string[], version: string, signal: AbortSignal): Promise<void> {
  const asksHelp = argv.includes('--help') || argv.includes('-h') || argv[0] === 'help';
  const words = argv.filter((word, at) => !(at === 0 && word === 'help'));
  const entry = findCommand(words);
  if (entry === undefined) {
    const topic = words[0] !== undefined && !words[0].startsWith('-') ? words[0] : undefined;
    const inTopic =
      topic === undefined ? commandTable : commandTable.filter(({ name }) => name.startsWith(`${topic} `));
    if (topic === undefined || (inTopic.length > 0 && (asksHelp || words.length === 1)))
      return print(overview(inTopic));
    throw new CodedError('COMMAND_UNKNOWN', `there is no command ${words.slice(0, 2).join(' ')}`, {
      exit: 'invalidInput',
      hint: nearest(words) ?? 'k8ts --help lists the commands',
    });
  }
  const rest = words.slice(entry.name.split(' ').length);
  if ('run' in entry) return asksHelp ? print(daemonHelp(entry)) : entry.run(rest, signal);
  const { runOclif, helpOf } = await import('./oclif.ts');
  return asksHelp
    ? print(await helpOf(entry, version))
    : runOclif(entry, rest, { version, signal, commands: commandTable });
}

/** The entry with the most words that `words` begins with. */
export function findCommand(words: readonly string[]): CommandEntry | undefined {
  return commandTable
    .filter(({ name }) => name.split(' ').every((word, at) => words[at] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

function overview(entries: readonly CommandEntry[]): string {
  const width = Math.max(...entries.map(({ name }) => name.length));
  const lines = entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'k8ts makes Linux machines a Kubernetes cluster: init on the first, join on the others, kubectl from then on.',
    '',
    'COMMANDS',
    ...lines,
    '',
    'k8ts COMMAND --help shows flags and examples; k8ts --version the version.',
  ].join('\n');
}

function daemonHelp(entry: DaemonEntry): string {
  return `${entry.summary}\n\nUSAGE\n  $ ${entry.help}`;
}

/** A hint for a mistyped command: one whose first word is at most two letters off. */
function nearest(words: readonly string[]): string | undefined {
  const typed = words[0] ?? '';
  const names = [...new Set(commandTable.map(({ name }) => name.split(' ')[0] ?? ''))];
  const [best] = names.map((name) => ({ name, off: distance(name, typed) })).sort((a, b) => a.off - b.off);
  return best !== undefined && best.off <= 2 ? `did you mean k8ts ${best.name}?` : undefined;
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
