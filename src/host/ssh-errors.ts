// What can go wrong on the way to another machine, told apart: the name, the route, the port, what listens there, its key,
// our credentials. "Handshake failed" is what every SSH library says instead, and nobody can act on it.

import { CodedError, codeOf, messageOf } from '../base/index.ts';

export interface SshPlace {
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

interface Explanation {
  readonly code: string;
  /** Against the error's code, its `level` (the library's name for the stage) and its message, joined by blanks. */
  readonly when: RegExp;
  readonly what: string;
  readonly hint: (place: SshPlace) => string;
}

const byHand = ({ user, address, port }: SshPlace): string =>
  `try it by hand: ssh ${port === 22 ? '' : `-p ${port} `}${user}@${address}`;

const explanations: readonly Explanation[] = [
  {
    code: 'SSH_NAME_UNKNOWN',
    when: /^(ENOTFOUND|EAI_AGAIN)\b/,
    what: 'its name does not resolve',
    hint: () => 'use its address in the file, or add the name to /etc/hosts',
  },
  {
    code: 'SSH_REFUSED',
    when: /^ECONNREFUSED\b/,
    what: 'the machine answers, but nothing listens on that port',
    hint: () => 'start sshd there, or set `port` in the file',
  },
  {
    code: 'SSH_UNREACHABLE',
    when: /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EHOSTDOWN)\b|client-timeout/,
    what: 'no answer in time; the address is wrong, the machine is off, or a firewall drops the packets',
    hint: ({ address }) => `try: ping ${address}; a machine behind another one needs \`bastion\` in the file`,
  },
  {
    code: 'SSH_AUTH_FAILED',
    when: /client-authentication/,
    what: 'it accepts none of the credentials',
    hint: byHand,
  },
  {
    code: 'SSH_NO_COMMON_ALGORITHM',
    when: /no matching/i,
    what: 'it offers no algorithm that k8ts accepts',
    hint: () => 'update sshd there; what it offers: ssh -vv shows it',
  },
  {
    code: 'SSH_NOT_SSH',
    when: /handshake|protocol|ECONNRESET|EPIPE|Parse Error|Connection lost before handshake/i,
    what: 'what listens there does not speak SSH 2, or hung up',
    hint: byHand,
  },
];

/** A CodedError for what a connection attempt ended with; one that is coded already stays. */
export function explainSshError(place: SshPlace, error: unknown): unknown {
  if (error instanceof CodedError) return error;
  const text = [codeOf(error) ?? '', levelOf(error), messageOf(error)].join(' ').trim();
  const found = explanations.find(({ when }) => when.test(text));
  if (found === undefined) return error;
  return new CodedError(found.code, `${nameOfPlace(place)}: ${found.what} (${messageOf(error)})`, {
    hint: found.hint(place),
    cause: error,
  });
}

/** user@address, with the port when it is not 22. */
export function nameOfPlace({ user, address, port }: SshPlace): string {
  return `${user}@${address}${port === 22 ? '' : `:${port}`}`;
}

function levelOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'level' in error ? String(error.level) : '';
}
