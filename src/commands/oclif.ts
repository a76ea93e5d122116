// oclif's parser and help for one command of our table, without oclif's own discovery (its plugins, manifest and topics),
// which needs files that a bundle does not have.

import { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import { CommandHelp } from '@oclif/core/help';
import { CodedError, messageOf } from '../base/index.ts';
import type { CommandEntry, OclifEntry } from './entry.ts';

/** Base of every command: gives it the abort signal of Ctrl-C. */
export abstract class K8tsCommand extends Command {
  /** Aborts on SIGINT and SIGTERM. Set before `run`. */
  signal: AbortSignal = new AbortController().signal;
  /** All that there are, for completion. Set before `run`. */
  commands: readonly CommandEntry[] = [];

  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

export async function runOclif(
  entry: OclifEntry,
  argv: readonly string[],
  options: { readonly version: string; readonly signal: AbortSignal; readonly commands: readonly CommandEntry[] },
): Promise<void> {
  const Class = (await entry.load()).default;
  const command = new Class([...argv], (await loadConfig(options.version)) as never);
  if (command instanceof K8tsCommand) {
    command.signal = options.signal;
    command.commands = options.commands;
  }
  command.id = entry.name;
  try {
    await command.run();
  } catch (error) {
    if (error instanceof CodedError) throw withoutFrame(error);
    throw isParserError(error) ? badInput(entry, error) : error;
  }
}

export async function helpOf(entry: OclifEntry, version: string): Promise<string> {
  const Class = (await entry.load()).default as unknown as typeof Command;
  const config = await loadConfig(version);
  const named = <T extends object>(table: Readonly<Record<string, T>>): Record<string, T & { name: string }> =>
    Object.fromEntries(Object.entries(table).map(([name, flag]) => [name, { ...flag, name }]));
  const description = {
    id: entry.name,
    summary: entry.summary,
    description: Class.description,
    usage: Class.usage,
    examples: Class.examples,
    flags: named(Class.flags ?? {}),
    args: named(Class.args ?? {}),
    aliases: [],
    hiddenAliases: [],
    strict: Class.strict,
    hidden: false,
  };
  const help = new CommandHelp(description as unknown as Command.Loadable, config, { maxWidth: 120 });
  return `${entry.summary}\n\n${help.generate()}`;
}

async function loadConfig(version: string): Promise<Config> {
  const config = new Config({
    root: import.meta.dirname,
    pjson: { name: 'k8ts', version, oclif: { bin: 'k8ts', dirname: 'k8ts', topicSeparator: ' ' } },
    ignoreManifest: true,
  });
  await config.load();
  return config;
}

/** The parser puts words of its own around the message of an error that a flag's `parse` throws. */
function withoutFrame(error: CodedError): CodedError {
  const [, message] = /^Parsing --\S+\s+([\s\S]*?)\nSee more help with --help$/.exec(error.message) ?? [];
  if (message === undefined) return error;
  const { code, exit, hint, cause } = error;
  return new CodedError(code, message, { exit, cause, ...(hint === undefined ? {} : { hint }) });
}

function isParserError(error: unknown): error is Error {
  return error instanceof Error && 'oclif' in error;
}

function badInput(entry: OclifEntry, error: Error): CodedError {
  const message = messageOf(error).replace(/\nSee more help with --help$/, '');
  return new CodedError('USAGE', message, { exit: 'invalidInput', hint: `k8ts ${entry.name} --help`, cause: error });
}
