// Private keys to log in with, read and decrypted before any machine is asked, so that a wrong passphrase is one error and
// not one per machine.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { CodedError, codeOf, messageOf } from '../base/index.ts';

export interface SshKey {
  /** The file, for messages. */
  readonly path: string;
  readonly key: ParsedKey;
}

/** What ssh itself tries when nothing is said. */
const defaultFiles = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** @throws CodedError SSH_KEY_UNREADABLE, SSH_KEY_ENCRYPTED, SSH_KEY_PASSPHRASE, SSH_KEY_INVALID */
export async function readSshKey(path: string, passphrase?: string): Promise<SshKey> {
  const problem = (code: string, what: string, hint: string, cause?: unknown): CodedError =>
    new CodedError(code, `SSH key ${path}: ${what}`, { exit: 'invalidInput', hint, cause });
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (error) {
    throw problem('SSH_KEY_UNREADABLE', `cannot be read (${codeOf(error)})`, 'check the path in the file', error);
  }
  const { utils } = (await import('ssh2')).default;
  const parsed = utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    const said = messageOf(key);
    if (/no passphrase given/i.test(said)) {
      throw problem('SSH_KEY_ENCRYPTED', 'is encrypted', 'name its passphrase with `passphraseFrom`, or use the agent');
    }
    if (/passphrase|decrypt|integrity/i.test(said)) {
      throw problem('SSH_KEY_PASSPHRASE', 'the passphrase does not open it', 'check what `passphraseFrom` names');
    }
    throw problem(
      'SSH_KEY_INVALID',
      `is not a private key that k8ts reads (${said})`,
      'make one: ssh-keygen -t ed25519',
    );
  }
  if (!key.isPrivateKey()) throw problem('SSH_KEY_INVALID', 'is a public key', `name the file without .pub`);
  return { path, key };
}

/** Those of ssh's default keys that are there and not encrypted. */
export async function readDefaultSshKeys(home: string = homedir()): Promise<readonly SshKey[]> {
  const keys = await Promise.all(
    defaultFiles.map((name) => readSshKey(join(home, '.ssh', name)).catch(() => undefined)),
  );
  return keys.filter((key) => key !== undefined);
}
