// Takes back what the journal says was done, newest first. One change that cannot be taken back does not stop the others:
// it stays in the journal with its reason reported, so that reset can be run again.

import { codeOf, messageOf } from '../base/index.ts';
import type { Change, Host } from './host.ts';
import { type Journal, subjectOf } from './journal.ts';
import { readProcess } from './processes.ts';

export interface UndoReport {
  readonly undone: readonly string[];
  readonly failed: readonly { readonly subject: string; readonly reason: string }[];
}

export interface UndoOptions {
  readonly signal?: AbortSignal;
  /** Changes that are taken back at the end, and only when all others could be: what a second try needs. */
  readonly last?: (change: Change) => boolean;
}

/** @param host one that does not write into `journal` itself. */
export async function undoChanges(
  host: Host,
  journal: Journal,
  { signal, last = () => false }: UndoOptions = {},
): Promise<UndoReport> {
  const all = [...(await journal.changes())].reverse();
  const changes = [...all.filter((change) => !last(change)), ...all.filter(last)];
  const undone: string[] = [];
  const failed: { readonly subject: string; readonly reason: string }[] = [];
  const kept: Change[] = [];
  for (const change of changes) {
    signal?.throwIfAborted();
    if (failed.length > 0 && last(change)) {
      kept.unshift(change);
      continue;
    }
    try {
      await undo(host, change);
      undone.push(subjectOf(change));
    } catch (error) {
      kept.unshift(change);
      failed.push({ subject: subjectOf(change), reason: messageOf(error) });
    }
  }
  await journal.replace(kept);
  return { undone, failed };
}

async function undo(host: Host, change: Change): Promise<void> {
  switch (change.kind) {
    case 'file':
      return undoFile(host, change);
    case 'directory':
      return undoDirectory(host, change);
    case 'sysctl':
      if ((await host.readSysctl(change.key)) !== undefined) await host.writeSysctl(change.key, change.before);
      return;
    case 'module':
      // Exit code 1: in use by somebody else by now, or gone already.
      await host.run('modprobe', ['-r', change.name], { accept: [1] });
      return;
    case 'link':
      return undoLink(host, change.name);
    case 'route':
      await host.run('ip', ['route', 'delete', change.destination, 'dev', change.device], { accept: [1, 2] });
      return;
    case 'nft-table':
      return undoTable(host, change);
    case 'iptables-chain':
      return undoChain(host, change);
    case 'mount':
      return unmountBelow(host, change.path);
    case 'unit':
      return undoUnit(host, change.name);
    case 'process':
      return undoProcess(host, change.pidFile);
    case 'swap':
      await host.run('swapon', [change.device]);
      return;
  }
}

/** A slice that was made at run time has no file that could be disabled; stopping it stops what is in it. */
async function undoUnit(host: Host, name: string): Promise<void> {
  const args = name.endsWith('.slice') ? ['stop', name] : ['disable', '--now', name];
  await host.run('systemctl', args, { accept: [1, 5] });
}

async function undoFile(host: Host, change: Change & { kind: 'file' }): Promise<void> {
  if (change.before === null) return host.remove(change.path);
  const { content, mode, encoding = 'utf8' } = change.before;
  await host.writeFile(change.path, Buffer.from(content, encoding), { mode });
}

async function undoDirectory(host: Host, change: Change & { kind: 'directory' }): Promise<void> {
  if ((await host.stat(change.path)) === undefined) return;
  if (change.shared !== true) {
    await unmountBelow(host, change.path); // or removing would reach into what is mounted there
    return host.remove(change.path, { recursive: true });
  }
  try {
    await host.remove(change.path);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EBUSY') throw error;
  }
}

/** Unmounts `path` and everything mounted below it, deepest first. */
export async function unmountBelow(host: Host, path: string): Promise<void> {
  const table = (await host.readFileIfExists('/proc/self/mountinfo'))?.toString('utf8') ?? '';
  for (const mount of mountPoints(table).reverse()) {
    if (mount === path || mount.startsWith(`${path}/`)) await host.run('umount', [mount]);
  }
}

/** Mount points in the order they were mounted. Field 5 of proc(5) mountinfo; \040 and the like are octal escapes. */
export function mountPoints(mountInfo: string): string[] {
  return mountInfo.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    if (point === undefined) return [];
    return [point.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))];
  });
}

/** Asked of ip, not of /sys/class/net: that shows the network namespace in which /sys was mounted. */
async function undoLink(host: Host, name: string): Promise<void> {
  const { code } = await host.run('ip', ['link', 'show', 'dev', name], { readsOnly: true, accept: [1] });
  if (code === 0) await host.run('ip', ['link', 'delete', 'dev', name]);
}

async function undoTable(host: Host, change: Change & { kind: 'nft-table' }): Promise<void> {
  const { stdout } = await host.run('nft', ['list', 'tables'], { readsOnly: true });
  const { family, name, shared = false } = change;
  if (!stdout.split('\n').includes(`table ${family} ${name}`)) return;
  if (shared && !(await isEmptyTable(host, family, name))) return;
  await host.run('nft', ['delete', 'table', family, name]);
}

/** True when it holds nothing but chains of hooks without rules, which is what iptables leaves when its last rule goes. */
async function isEmptyTable(host: Host, family: string, name: string): Promise<boolean> {
  const { stdout } = await host.run('nft', ['--json', 'list', 'table', family, name], { readsOnly: true });
  const { nftables } = JSON.parse(stdout) as {
    readonly nftables: readonly Readonly<Record<string, { hook?: string }>>[];
  };
  return nftables.every((entry) => 'metainfo' in entry || 'table' in entry || entry['chain']?.hook !== undefined);
}

/** A chain can go only when nothing jumps to it, so the rules that do go first. */
async function undoChain(host: Host, change: Change & { kind: 'iptables-chain' }): Promise<void> {
  const { stdout } = await host.run('iptables', ['-w', '-t', change.table, '-S'], { readsOnly: true });
  const lines = stdout.split('\n');
  if (!lines.includes(`-N ${change.chain}`)) return;
  for (const line of lines) {
    const words = line.split(' ');
    if (words[0] !== '-A' || words[words.indexOf('-j') + 1] !== change.chain) continue;
    const rule = (line.match(/"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replaceAll('"', ''));
    await host.run('iptables', ['-w', '-t', change.table, '-D', ...rule]);
  }
  await host.run('iptables', ['-w', '-t', change.table, '-F', change.chain]);
  await host.run('iptables', ['-w', '-t', change.table, '-X', change.chain]);
}

async function undoProcess(host: Host, pidFile: string): Promise<void> {
  const found = await readProcess(host, pidFile);
  if (found !== undefined) await host.run('kill', ['-TERM', String(found.pid)], { accept: [1] });
  await host.remove(pidFile);
}
