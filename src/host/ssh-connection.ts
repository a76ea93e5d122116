// One connection to one machine: who it is (known_hosts, or a fingerprint that was told beforehand), who we are (key, agent,
// password), the way there (directly or through a bastion), and a bound on what runs in it at once (sshd's MaxSessions is
// 10). No secret and no command is sent before the machine's key has been verified.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnyAuthMethod, ClientChannel, ServerHostKeyAlgorithm, Client as SshClient } from 'ssh2';
import { CodedError, createBackoff, createSlots, messageOf, systemClock } from '../base/index.ts';
import { explainSshError, nameOfPlace, type SshPlace } from './ssh-errors.ts';
import type { SshKey } from './ssh-keys.ts';
import { fingerprint, type KnownHosts, keyType, nameOf } from './ssh-known-hosts.ts';

export interface SshTarget extends SshPlace {
  /** SHA256:… of its key; wins over known_hosts. */
  readonly hostKey?: string | undefined;
  /** Tried in this order, then the agent, then the password. */
  readonly keys: readonly SshKey[];
  /** Socket of an agent. */
  readonly agent?: string | undefined;
  readonly password?: string | undefined;
  readonly bastion?: SshTarget | undefined;
}

export interface SshOptions {
  readonly knownHosts: KnownHosts;
  /** Machines that known_hosts does not know are believed and added to it. One whose key changed never is. Default false. */
  readonly acceptNewHostKeys?: boolean;
  readonly signal?: AbortSignal;
  /** ms until logged in; default 15,000. */
  readonly timeout?: number;
  /** ms between signs of life; three unanswered end the connection. Default 10,000. */
  readonly keepalive?: number;
}

export interface SshConnection {
  readonly place: SshPlace;
  /** Aborts when the connection has ended, with the reason. */
  readonly ended: AbortSignal;
  /** Opens a session that runs `command` (already quoted), lends it to `work`, and closes it. */
  session<T>(
    command: string,
    work: (channel: ClientChannel) => Promise<T>,
    /** `spare`: one of the sessions that are kept back for ending what runs in the others. */
    options?: { readonly spare?: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** A connection from that machine to host:port. @throws CodedError SSH_FORWARD_REFUSED */
  forward(host: string, port: number): Promise<Duplex>;
  close(): void;
}

/** Together the 10 that sshd allows by default (MaxSessions). Spare ones end commands while all others are taken. */
const sessions = { usual: 8, spare: 2 };
const sessionTries = 5;
/** What is asked for, best first: ssh-keyscan shows a machine's. */
const hostKeyTypes: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
];

/**
 * @throws CodedError SSH_HOST_KEY_UNKNOWN, SSH_HOST_KEY_CHANGED, SSH_HOST_KEY_REVOKED, SSH_AUTH_FAILED and the others of
 * ssh-errors.ts; the signal's reason when it aborts
 */
export async function openSshConnection(target: SshTarget, options: SshOptions): Promise<SshConnection> {
  const { signal } = options;
  signal?.throwIfAborted();
  const bastion = target.bastion === undefined ? undefined : await openSshConnection(target.bastion, options);
  try {
    const sock = await bastion?.forward(target.address, target.port);
    const client = await logIn(target, options, sock);
    return connectionOver(client, target, bastion);
  } catch (error) {
    bastion?.close();
    signal?.throwIfAborted();
    throw explainSshError(target, error);
  }
}

async function logIn(target: SshTarget, options: SshOptions, sock: Duplex | undefined): Promise<SshClient> {
  const { Client } = (await import('ssh2')).default; // 30 ms and some megabytes, which the daemons must not pay
  const { timeout = 15_000, keepalive = 10_000, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<SshClient>();
  const client = new Client();
  let refusedKey: CodedError | undefined;
  const onAbort = (): void => fail(signal?.reason);
  const fail = (error: unknown): void => {
    signal?.removeEventListener('abort', onAbort);
    reject(refusedKey ?? error);
    client.destroy();
  };
  client.on('error', (error) => {
    if (levelOf(error) !== 'agent') fail(error); // after the agent the next way to log in is tried
  });
  client.on('close', () => fail(new Error('Connection lost before handshake')));
  client.on('ready', () => {
    signal?.removeEventListener('abort', onAbort);
    client.setNoDelay(true); // otherwise each command waits 40 ms for an acknowledgement
    resolve(client);
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  client.connect({
    ...(sock === undefined ? { host: target.address, port: target.port } : { sock: sock as Socket }),
    username: target.user,
    readyTimeout: timeout,
    keepaliveInterval: keepalive,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: hostKeyAlgorithms(options.knownHosts.typesOf(target.address, target.port)) },
    authHandler: waysToLogIn(target),
    hostVerifier: (key: Buffer, verify: (permitted: boolean) => void) => {
      verifyHostKey(target, options, key).then(
        () => verify(true),
        (error: CodedError) => {
          refusedKey = error;
          verify(false);
        },
      );
    },
  });
  return promise;
}

/** Types that the machine is known by come first: asking for another one would make its key look changed. */
function hostKeyAlgorithms(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const order = [
    ...hostKeyTypes.filter((type) => known.includes(type)),
    ...hostKeyTypes.filter((type) => !known.includes(type)),
  ];
  // ssh-rsa keys sign with SHA-2 (RFC 8332); SHA-1 is not asked for.
  return order.flatMap((type) =>
    type === 'ssh-rsa' ? (['rsa-sha2-512', 'rsa-sha2-256'] as const) : [type as ServerHostKeyAlgorithm],
  );
}

function waysToLogIn({ user: username, keys, agent, password }: SshTarget): AnyAuthMethod[] {
  return [
    ...keys.map(({ key }) => ({ type: 'publickey' as const, username, key })),
    ...(agent === undefined ? [] : [{ type: 'agent' as const, username, agent }]),
    ...(password === undefined
      ? []
      : [
          { type: 'password' as const, username, password },
          {
            type: 'keyboard-interactive' as const,
            username,
            // Servers that ask through PAM put one question whose answer is not shown: the password.
            prompt: (
              _name: string,
              _instructions: string,
              _language: string,
              prompts: readonly { readonly echo?: boolean }[],
              answer: (answers: string[]) => void,
            ) => answer(prompts.map(({ echo }) => (echo === true ? '' : password))),
          },
        ]),
  ] as AnyAuthMethod[];
}

async function verifyHostKey(target: SshTarget, options: SshOptions, key: Buffer): Promise<void> {
  const { address, port, hostKey } = target;
  const { knownHosts, acceptNewHostKeys = false } = options;
  const seen = `${fingerprint(key)} (${keyType(key)})`;
  const where = nameOfPlace(target);
  const verdict = knownHosts.check(address, port, key);
  if (verdict.kind === 'revoked') {
    throw new CodedError('SSH_HOST_KEY_REVOKED', `${where}: its key ${seen} is revoked by ${verdict.at}`, {
      hint: 'somebody may answer in its place: give the machine a new host key, and look at what happened to the old one',
    });
  }
  if (hostKey !== undefined) {
    if (fingerprint(key) === hostKey) return;
    throw new CodedError('SSH_HOST_KEY_CHANGED', `${where}: its key is ${seen}, not ${hostKey} as the file says`, {
      hint: `if the machine was made anew, set hostKey to what it says itself: ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub`,
    });
  }
  if (verdict.kind === 'known') return;
  if (verdict.kind === 'changed') {
    throw new CodedError('SSH_HOST_KEY_CHANGED', `${where}: its key is ${seen}, but ${verdict.at} has another one`, {
      hint: `somebody may answer in its place; if the machine was made anew: ssh-keygen -R '${nameOf(address, port)}', then run this again with --accept-new-host-keys`,
    });
  }
  if (acceptNewHostKeys) return knownHosts.add(address, port, key);
  throw new CodedError('SSH_HOST_KEY_UNKNOWN', `${where}: known_hosts does not know it; its key is ${seen}`, {
    hint: `compare the key with the machine's own and put \`hostKey: ${fingerprint(key)}\` into the file, or pass --accept-new-host-keys`,
  });
}

function shortType(key: Buffer): string {
  const type = keyType(key);
  return type === 'ssh-rsa' ? 'rsa' : type.startsWith('ecdsa') ? 'ecdsa' : 'ed25519';
}

function connectionOver(client: SshClient, place: SshPlace, bastion: SshConnection | undefined): SshConnection {
  const ended = new AbortController();
  const slots = { usual: createSlots(sessions.usual), spare: createSlots(sessions.spare) };
  const lost = (why: string): CodedError =>
    new CodedError('SSH_CONNECTION_LOST', `${nameOfPlace(place)}: the connection ended: ${why}`, {
      hint: 'check the machine and the network, and run the command again: it continues',
    });
  let lastError: unknown;
  client.removeAllListeners('error').removeAllListeners('close').removeAllListeners('ready');
  client.on('error', (error) => {
    lastError = error;
  });
  client.on('close', () => {
    bastion?.close();
    ended.abort(lost(lastError === undefined ? 'closed by the other side' : messageOf(lastError)));
  });
  return {
    place,
    ended: ended.signal,
    session: (command, work, { spare = false, signal } = {}) =>
      slots[spare ? 'spare' : 'usual'].use(async () => {
        signal?.throwIfAborted();
        ended.signal.throwIfAborted();
        const channel = await openFreeSession(client, command, ended.signal).catch((error: unknown) => {
          ended.signal.throwIfAborted();
          throw new CodedError('SSH_SESSION_REFUSED', `${nameOfPlace(place)}: no session: ${messageOf(error)}`, {
            hint: 'in sshd_config there, MaxSessions has to be 10 (the default) or more',
            cause: error,
          });
        });
        try {
          return await work(channel);
        } finally {
          channel.close();
        }
      }),
    async forward(host, port) {
      ended.signal.throwIfAborted();
      try {
        return await openForward(client, host, port);
      } catch (error) {
        ended.signal.throwIfAborted();
        throw new CodedError(
          'SSH_FORWARD_REFUSED',
          `${nameOfPlace(place)} does not connect to ${host}:${port}: ${messageOf(error)}`,
          {
            hint: `check AllowTcpForwarding in sshd_config there, and that it reaches ${host}:${port}`,
            cause: error,
          },
        );
      }
    },
    close: () => {
      client.end();
      client.destroy();
      bastion?.close();
      ended.abort(lost('closed here'));
    },
  };
}

/** sshd frees a session a moment after it has said that it is over; until then one more than it has is refused. */
async function openFreeSession(client: SshClient, command: string, signal: AbortSignal): Promise<ClientChannel> {
  const backoff = createBackoff({ initial: 50, max: 1000 });
  for (;;) {
    try {
      return await openSession(client, command);
    } catch (error) {
      if (signal.aborted || backoff.attempts === sessionTries) throw error;
      await systemClock.sleep(backoff.next(), signal);
    }
  }
}

function openSession(client: SshClient, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}

function openForward(client: SshClient, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
      error === undefined ? resolve(channel) : reject(error),
    );
  });
}

function levelOf(error: Error): string | undefined {
  return 'level' in error && typeof error.level === 'string' ? error.level : undefined;
}
