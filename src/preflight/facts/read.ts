// Small readers that the others are made of.

import type { Host } from '../../host/index.ts';

/** Empty when it cannot be read. */
export async function readText(host: Host, path: string): Promise<string> {
  return (await host.readFileIfExists(path).catch(() => undefined))?.toString('utf8') ?? '';
}

/** Names in a folder; none when it cannot be read. */
export async function namesIn(host: Host, path: string): Promise<readonly string[]> {
  return (await host.stat(path))?.kind === 'directory' ? host.readDir(path).catch(() => []) : [];
}

export async function existing(host: Host, candidates: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(candidates.map((path) => host.stat(path)));
  return candidates.filter((_, at) => found[at] !== undefined);
}

export async function collect<Name extends string, Value>(
  names: readonly Name[],
  look: (name: Name) => Promise<Value>,
): Promise<Readonly<Record<string, Value>>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await look(name)] as const)));
}

/** Output of a program that only reads; empty when it is not there or fails. */
export async function outputOf(host: Host, program: string, args: readonly string[]): Promise<string> {
  if ((await host.which(program)) === undefined) return '';
  const { code, stdout } = await host.run(program, args, { readsOnly: true, accept: anyCode, timeout: 10_000 });
  return code === 0 ? stdout : '';
}

const anyCode: readonly number[] = Array.from({ length: 255 }, (_, at) => at + 1);
