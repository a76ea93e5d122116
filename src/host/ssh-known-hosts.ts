// Which key a machine is known by: OpenSSH's known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), with hashed names,
// [host]:port, patterns and @revoked. Host certificates (@cert-authority) are not verified, so those lines say nothing here.
// Strict on purpose: a machine that is known by other keys only is "changed", also when the key is of another type, because
// k8ts asks for the types that it knows first.

import { createHash, createHmac } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../base/index.ts';

type KeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  /** `at`: FILE:LINE of an entry that says otherwise. */
  | { readonly kind: 'changed' | 'revoked'; readonly at: string };

export interface KnownHosts {
  /** @param key as on the wire (RFC 4253 §6.6) */
  check(host: string, port: number, key: Buffer): KeyVerdict;
  /** The key types that `host` is known by: ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa … */
  typesOf(host: string, port: number): readonly string[];
  /** Appends to the first file, which is made (0600) when it is not there. */
  add(host: string, port: number, key: Buffer): Promise<void>;
}

interface Entry {
  readonly at: string;
  readonly revoked: boolean;
  /** Comma-separated patterns, or one hashed name. */
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
}

/** @param files the user's own first; one that is not there is empty */
export async function openKnownHosts(files: readonly [string, ...string[]]): Promise<KnownHosts> {
  const entries: Entry[] = [];
  for (const file of files) entries.push(...parseKnownHosts(await textOf(file), file));
  const [own] = files;
  let writing: Promise<unknown> = Promise.resolve();
  const entriesFor = (name: string): Entry[] => entries.filter(({ names }) => matches(names, name));

  return {
    check(host, port, key) {
      const found = entriesFor(nameOf(host, port));
      const bare = port === 22 ? [] : entriesFor(nameOf(host, 22)); // as ssh: a key known without its port is known
      const revoked = [...found, ...bare].find((entry) => entry.revoked && entry.key.equals(key));
      if (revoked !== undefined) return { kind: 'revoked', at: revoked.at };
      const valid = found.filter((entry) => !entry.revoked);
      if ([...valid, ...bare].some((entry) => !entry.revoked && entry.key.equals(key))) return { kind: 'known' };
      const other = valid.find(({ type }) => type === keyType(key)) ?? valid[0];
      return other === undefined ? { kind: 'unknown' } : { kind: 'changed', at: other.at };
    },
    typesOf(host, port) {
      const found = entriesFor(nameOf(host, port)).filter((entry) => !entry.revoked);
      return [...new Set(found.map(({ type }) => type))];
    },
    async add(host, port, key) {
      const names = nameOf(host, port);
      const type = keyType(key);
      if (entries.some((entry) => !entry.revoked && entry.names === names && entry.key.equals(key))) return;
      entries.push({ at: own, revoked: false, names, type, key });
      const line = `${names} ${type} ${key.toString('base64')}\n`;
      writing = writing.then(() => append(own, line));
      await writing;
    },
  };
}

/** Lines that are empty, comments or not understood are left out, as ssh leaves them out. */
export function parseKnownHosts(text: string, file: string): readonly Entry[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [names = '', type = '', base64 = ''] = words;
    if (names.startsWith('#') || base64 === '' || marker === '@cert-authority') return [];
    const key = Buffer.from(base64, 'base64');
    return [{ at: `${file}:${index + 1}`, revoked: marker === '@revoked', names, type, key }];
  });
}

/** As `ssh-keygen -l` prints it: SHA256: and base64 without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The first field of a key on the wire: a length of four bytes, then its type. */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('latin1');
}

/** What stands in the file for a machine: lower case, with the port when it is not 22. */
export function nameOf(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function matches(names: string, name: string): boolean {
  if (names.startsWith('|')) return matchesHash(names, name);
  const patterns = names.toLowerCase().split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && glob(pattern.slice(1)).test(name))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && glob(pattern).test(name));
}

/** |1|base64 salt|base64 HMAC-SHA1(salt, name) */
function matchesHash(names: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = names.split('|');
  if (version !== '1') return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/** One line in one write; a file whose last line was not ended gets its end first. */
async function append(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const before = await textOf(file);
  const start = before === '' || before.endsWith('\n') ? '' : '\n';
  await appendFile(file, `${start}${line}`, { mode: 0o600 });
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
