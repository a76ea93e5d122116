// From the file to what SSH needs: defaults laid under each host, secrets and keys read once.

import { readFile } from 'node:fs/promises';
import { CodedError, codeOf } from '../base/index.ts';
import { readDefaultSshKeys, readSshKey, type SshKey, type SshTarget } from '../host/index.ts';
import { type ClusterFile, type FileBastion, type FileHost, pathFrom, type SecretPlace } from './cluster-file.ts';

/** How a machine is reached, and how one becomes root there. */
export interface Reach {
  readonly target: SshTarget;
  readonly sudo: { readonly password?: string | undefined } | undefined;
}

export interface ReachOptions {
  /** The cluster file's path, for relative ones in it. */
  readonly source: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type ReachOf = (host: Pick<FileHost, 'address'> & Partial<FileHost>) => Promise<Reach>;

/** @throws CodedError SECRET_ABSENT and those of readSshKey */
export function createReach(file: Pick<ClusterFile, 'ssh'>, { source, env }: ReachOptions): ReachOf {
  const keys = new Map<string, Promise<readonly SshKey[]>>();
  const agent = env['SSH_AUTH_SOCK'];

  const once = (name: string, read: () => Promise<readonly SshKey[]>): Promise<readonly SshKey[]> => {
    const known = keys.get(name) ?? read();
    keys.set(name, known);
    return known;
  };
  const secretAt = async (place: SecretPlace | undefined): Promise<string | undefined> => {
    if (place === undefined) return undefined;
    const value = 'env' in place ? env[place.env] : await fileText(pathFrom(source, place.file));
    if (value !== undefined && value !== '') return value;
    throw new CodedError('SECRET_ABSENT', `${'env' in place ? `$${place.env}` : place.file} holds no secret`, {
      exit: 'invalidInput',
      hint: `${source} says that one is there`,
    });
  };
  const loginOf = async (given: Omit<FileBastion, 'address'>) => {
    const { key, passphraseFrom, passwordFrom } = given;
    const named =
      key === undefined
        ? undefined
        : await once(key, async () => [await readSshKey(pathFrom(source, key), await secretAt(passphraseFrom))]);
    const password = await secretAt(passwordFrom);
    // What is named is used and nothing else: sshd hangs up after six keys that it does not know.
    const isNamed = named !== undefined || password !== undefined;
    return {
      user: given.user ?? 'root',
      port: given.port ?? 22,
      hostKey: given.hostKey,
      keys: named ?? (isNamed ? [] : await once('', () => readDefaultSshKeys())),
      agent: isNamed || agent === '' ? undefined : agent,
      password,
    };
  };

  return async (host) => {
    const { address, bastion = file.ssh?.bastion, ...own } = host;
    const given = { ...file.ssh, ...own };
    const login = await loginOf(given);
    const over =
      bastion === undefined ? undefined : { address: bastion.address, ...(await loginOf(withLogin(bastion, given))) };
    const sudo = given.sudo ?? login.user !== 'root';
    return {
      target: { address, ...login, bastion: over },
      sudo: sudo ? { password: await secretAt(given.sudoPasswordFrom) } : undefined,
    };
  };
}

/** A bastion that says nothing of how to log in is logged in to as the machines behind it. */
function withLogin(bastion: FileBastion, given: Partial<FileHost>): FileBastion {
  const { user, key, passphraseFrom, passwordFrom } = given;
  if (bastion.key !== undefined || bastion.passwordFrom !== undefined) return bastion;
  return { user, key, passphraseFrom, passwordFrom, ...bastion };
}

async function fileText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}
