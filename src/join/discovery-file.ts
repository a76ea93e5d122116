// Discovery by a kubeconfig that a person brought along, or that lies at an https address: it names the server and the CA, and
// is trusted because of where it comes from. It may hold a login; otherwise the token is used.

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CodedError, messageOf } from '../base/index.ts';
import { Agent } from '../client/index.ts';
import { type ClusterAccess, type Credential, parseKubeconfig } from '../kubeconfig/index.ts';
import type { Progress } from '../workflow/index.ts';
import { askApi } from './ask-api.ts';
import type { Discovered, Login } from './context.ts';
import { requireClock } from './discover.ts';

/** @throws CodedError DISCOVERY_FILE_UNREADABLE, DISCOVERY_FILE_INVALID; of parseKubeconfig and askApi */
export async function discoverByFile(file: string, { signal, report }: Progress): Promise<Discovered> {
  report(`reading ${file}`);
  const text = await readDiscoveryFile(file, signal);
  const access = parseKubeconfig(text, file.startsWith('https://') ? {} : { folder: dirname(resolve(file)) });
  const caPem = await textOf(access.ca);
  if (caPem === undefined || access.insecureSkipTlsVerify) {
    throw new CodedError('DISCOVERY_FILE_INVALID', `${file} does not say which CA the cluster has`, {
      exit: 'invalidInput',
      hint: 'on the master make one: kubectl -n kube-public get cm cluster-info -o jsonpath="{.data.kubeconfig}"',
    });
  }
  report(`verifying ${access.server} over TLS`);
  const { skew } = await askApi({ server: access.server, path: '/version', ca: caPem, signal });
  requireClock(access.server, skew);
  const login = await loginOf(access);
  return { server: access.server, caPem, clockSkew: skew, ...(login === undefined ? {} : { login }) };
}

async function readDiscoveryFile(file: string, signal: AbortSignal): Promise<string> {
  const unreadable = (why: string, cause?: unknown): CodedError =>
    new CodedError('DISCOVERY_FILE_UNREADABLE', `${file} cannot be read: ${why}`, {
      exit: 'invalidInput',
      hint: 'check the path or the https address; its server needs a certificate that this machine trusts',
      cause,
    });
  if (/^http:/.test(file)) throw unreadable('over http anybody could change it on the way; use https');
  try {
    if (!file.startsWith('https://')) return await readFile(file, 'utf8');
    const { status, text } = await download(new URL(file), signal);
    if (status === 200) return text;
    throw unreadable(`HTTP ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CodedError ? error : unreadable(messageOf(error), error);
  }
}

async function download({ origin, pathname, search }: URL, signal: AbortSignal) {
  const agent = new Agent({ headersTimeout: 10_000, bodyTimeout: 10_000 });
  try {
    const { statusCode, body } = await agent.request({ origin, path: pathname + search, method: 'GET', signal });
    return { status: statusCode, text: await body.text() };
  } finally {
    await agent.destroy();
  }
}

/** Credentials as text, because files beside the discovery file may be gone when the agent starts. */
async function loginOf({ token, cert, key }: ClusterAccess): Promise<Login | undefined> {
  const [tokenText, certText, keyText] = await Promise.all([textOf(token), textOf(cert), textOf(key)]);
  if (tokenText !== undefined) return { token: tokenText.trim() };
  if (certText !== undefined && keyText !== undefined) return { cert: certText, key: keyText };
  return undefined;
}

async function textOf(credential: Credential | undefined): Promise<string | undefined> {
  if (credential === undefined) return undefined;
  return 'text' in credential ? credential.text : await readFile(credential.file, 'utf8');
}
