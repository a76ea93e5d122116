// One request to an API server that may not be trusted yet, with every way it can fail told apart: the name, the route, the
// port, TLS, the clock, the answer. A join that hangs or says "EOF" is the most frequent complaint about joining anywhere.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { CodedError, codeOf, messageOf, systemClock } from '../base/index.ts';
import { Agent } from '../client/index.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  /** ms that the server's clock is ahead of this machine's; undefined when it did not send a Date. */
  readonly skew: number | undefined;
}

export interface AskOptions {
  /** https://host:port */
  readonly server: string;
  readonly path: string;
  /** PEM. Absent: anyone is believed, for the one question whose answer is verified by a signature. */
  readonly ca?: string;
  readonly token?: string;
  readonly signal: AbortSignal;
  /** ms for connecting, and again for the answer. Default 5000. */
  readonly timeout?: number;
}

/**
 * @throws CodedError API_NAME_UNKNOWN, API_UNREACHABLE, API_REFUSED, API_CUT, API_NOT_TLS, API_WRONG_PORT,
 * API_CERT_UNTRUSTED, API_CERT_NAME, CLOCK_SKEW
 */
export async function askApi(options: AskOptions): Promise<ApiAnswer> {
  const { server, path, ca, token, signal, timeout = 5000 } = options;
  const connect = ca === undefined ? { timeout, rejectUnauthorized: false } : { timeout, ca };
  const agent = new Agent({ connect, headersTimeout: timeout, bodyTimeout: timeout });
  try {
    await requireName(new URL(server).hostname, timeout);
    const sent = Date.now();
    const response = await agent.request({
      ...{ origin: server, path, method: 'GET', signal },
      headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    const body = await response.body.text();
    const date = response.headers['date'];
    const now = (sent + Date.now()) / 2;
    return {
      status: response.statusCode,
      body,
      skew: typeof date === 'string' ? Math.round(Date.parse(date) + 500 - now) : undefined,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw explain(server, error);
  } finally {
    await agent.destroy();
  }
}

interface Explanation {
  readonly code: string;
  readonly when: RegExp;
  readonly what: string;
  /** A command to run, with the address in it. */
  readonly hint: (at: { readonly host: string; readonly port: string }) => string;
}

const explanations: readonly Explanation[] = [
  {
    code: 'API_NAME_UNKNOWN',
    when: /^(ENOTFOUND|EAI_AGAIN|EAI_TIMEOUT)$/,
    what: 'its name does not resolve',
    hint: ({ host }) => `join by the address instead, or name it here: echo "ADDRESS ${host}" >> /etc/hosts`,
  },
  {
    code: 'API_REFUSED',
    when: /^ECONNREFUSED$/,
    what: 'the machine answers, but nothing listens on that port',
    hint: ({ port }) => `on the master run: k8ts status; and see who listens there: ss -ltnp 'sport = ${port}'`,
  },
  {
    code: 'API_UNREACHABLE',
    when: /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/,
    what: 'no answer; the address is wrong, the machine is off, or a firewall drops the packets',
    hint: ({ host, port }) =>
      `from here run: ping -c 3 ${host}; on the master open TCP port ${port}: firewall-cmd --add-port ${port}/tcp, or ufw allow ${port}/tcp`,
  },
  {
    code: 'API_WRONG_PORT',
    when: /CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_HANDSHAKE_FAILURE/,
    what: 'it takes nobody without a client certificate, as etcd does, and no API server',
    hint: ({ host }) => `use the port of the API server, usually 6443: k8ts join ${host}:6443 …`,
  },
  {
    code: 'API_CUT',
    when: /^(ECONNRESET|UND_ERR_SOCKET)$/,
    what: 'the connection is cut before anything is said: by a firewall or proxy, or by a program that is no API server',
    hint: ({ host, port }) =>
      `look at what is in between: openssl s_client -connect ${host}:${port}; env | grep -i proxy`,
  },
  {
    code: 'API_NOT_TLS',
    when: /^(ERR_SSL_\w+|EPROTO|HPE_\w+)$/,
    what: 'what listens there does not speak TLS',
    hint: ({ host }) => `use the port of the API server, usually 6443: k8ts join ${host}:6443 …`,
  },
  {
    code: 'CLOCK_SKEW',
    when: /^(CERT_NOT_YET_VALID|CERT_HAS_EXPIRED)$/,
    what: 'its certificate is not valid at this machine’s time',
    hint: () =>
      'compare `date -u` on both machines and set the wrong clock: timedatectl set-ntp true; if both agree, on the master run: k8ts certs renew all',
  },
  {
    code: 'API_CERT_NAME',
    when: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    what: 'its certificate is not for that name or address',
    hint: ({ host }) => `on the master run: k8ts init --apiserver-cert-extra-sans ${host}`,
  },
  {
    code: 'API_CERT_UNTRUSTED',
    when: /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE)$/,
    what: 'its certificate is not signed by the cluster’s CA: somebody else answers there',
    hint: () =>
      'check the address; if the master was made anew, get a new join command there: k8ts token create --print-join-command',
  },
];

/** By itself, so that name servers that do not answer are not taken for a master that does not. */
async function requireName(host: string, timeout: number): Promise<void> {
  if (isIP(host) !== 0) return;
  const silent = Object.assign(new Error(`no name server answered within ${timeout} ms`), { code: 'EAI_TIMEOUT' });
  const stop = new AbortController();
  const late = systemClock.sleep(timeout, stop.signal).then(() => Promise.reject(silent));
  try {
    await Promise.race([lookup(host), late]);
  } finally {
    stop.abort(silent);
    late.catch(() => undefined); // it lost the race
  }
}

function explain(server: string, error: unknown): unknown {
  const code = codeOf(error) ?? codeOf(causeOf(error)) ?? '';
  const found = explanations.find(({ when }) => when.test(code));
  if (found === undefined) return error;
  const { hostname: host, port } = new URL(server);
  const message = `the API server at ${server} cannot be used: ${found.what} (${code || messageOf(error)})`;
  return new CodedError(found.code, message, { hint: found.hint({ host, port: port || '443' }), cause: error });
}

/** Node wraps what went wrong with each address of a name in an AggregateError. */
function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}
