// The kubeconfig file: where the API server is, whom to trust, and as whom to speak. Pure: text in, structure out, and
// back. A folder of its own because both the API client and the certificate planner read these files, and neither may
// import the other.
// What a kubeconfig can ask for and k8ts does not do (exec plugins, auth providers) is refused by name: ignoring it
// would end in an anonymous request and a misleading 401.
// Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/

import { isAbsolute, join } from 'node:path';
import { dump, load } from 'js-yaml';
import { CodedError, messageOf } from '../base/index.ts';

/** A credential that stands in the kubeconfig itself (PEM or token text) or in a file beside it (absolute path). */
export type Credential = { readonly text: string } | { readonly file: string };

/** What the chosen context of a kubeconfig says. */
export interface ClusterAccess {
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
  readonly namespace: string | undefined;
  /** https://host:port, without a slash at its end. */
  readonly server: string;
  readonly ca: Credential | undefined;
  readonly cert: Credential | undefined;
  readonly key: Credential | undefined;
  readonly token: Credential | undefined;
  readonly serverName: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
}

export interface KubeconfigOptions {
  readonly server: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly ca?: Credential;
  readonly cert?: Credential;
  readonly key?: Credential;
  readonly token?: Credential;
}

type Section = Readonly<Record<string, unknown>>;

/**
 * Reads a kubeconfig. Relative file references are resolved against `folder`, as kubectl does.
 * @throws CodedError KUBECONFIG_INVALID, KUBECONFIG_UNSUPPORTED
 */
export function parseKubeconfig(
  text: string,
  options: { readonly folder?: string; readonly context?: string } = {},
): ClusterAccess {
  const root = parseRoot(text);
  const context = options.context ?? string(root, 'current-context') ?? '';
  const only = context === '' ? onlyCluster(root) : undefined;
  const chosen = only === undefined ? named(root, 'contexts', 'context', context) : {};
  const clusterName = string(chosen, 'cluster') ?? '';
  const cluster = only ?? named(root, 'clusters', 'cluster', clusterName);
  const userName = string(chosen, 'user') ?? '';
  const user = userName === '' ? {} : named(root, 'users', 'user', userName);
  refuseUnsupported(userName, user);
  const server = string(cluster, 'server');
  if (server === undefined || !URL.canParse(server)) {
    throw invalid(`cluster "${clusterName}" has no valid server URL`);
  }
  const at = options.folder;
  return {
    context,
    cluster: clusterName,
    user: userName,
    namespace: string(chosen, 'namespace'),
    server: server.replace(/\/+$/, ''),
    ca: pemOrFile(cluster, 'certificate-authority', at),
    cert: pemOrFile(user, 'client-certificate', at),
    key: pemOrFile(user, 'client-key', at),
    token: tokenOf(user, at),
    serverName: string(cluster, 'tls-server-name'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
  };
}

/** The YAML of a kubeconfig with one cluster, one user and one context named `user@cluster`, as kubeadm writes it. */
export function buildKubeconfig(options: KubeconfigOptions): string {
  const { server, cluster = 'kubernetes', user = '', ca, cert, key, token } = options;
  const context = user === '' ? cluster : `${user}@${cluster}`;
  const credentials = {
    ...reference('client-certificate', cert),
    ...reference('client-key', key),
    ...(token === undefined ? {} : 'text' in token ? { token: token.text } : { tokenFile: token.file }),
  };
  const file = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { ...reference('certificate-authority', ca), server } }],
    contexts: [{ name: context, context: { cluster, ...(user === '' ? {} : { user }) } }],
    'current-context': context,
    preferences: {},
    users: user === '' ? [] : [{ name: user, user: credentials }],
  };
  return dump(file, { lineWidth: -1 });
}

/**
 * The same kubeconfig with other PEM texts for the current context's cluster and user; everything else in the file stays.
 * @throws CodedError KUBECONFIG_INVALID, KUBECONFIG_UNSUPPORTED
 */
export function replaceInKubeconfig(
  text: string,
  news: { readonly ca?: string; readonly cert?: string; readonly key?: string },
): string {
  const { cluster, user } = parseKubeconfig(text);
  const root = parseRoot(text);
  const changed = (list: string, field: string, name: string, fields: Readonly<Record<string, string | undefined>>) =>
    entriesOf(root, list).map((entry) =>
      entry['name'] === name ? { ...entry, [field]: withPems(entry[field], fields) } : entry,
    );
  const clusters = changed('clusters', 'cluster', cluster, { 'certificate-authority': news.ca });
  const users = changed('users', 'user', user, { 'client-certificate': news.cert, 'client-key': news.key });
  return dump({ ...root, clusters, users }, { lineWidth: -1 });
}

/** PEM texts stand in the file itself then, whether there was a path before or not. */
function withPems(section: unknown, fields: Readonly<Record<string, string | undefined>>): Section {
  let result: Section = isSection(section) ? section : {};
  for (const [field, pem] of Object.entries(fields)) {
    if (pem === undefined) continue;
    const { [field]: _path, ...rest } = result;
    result = { ...rest, ...reference(field, { text: pem }) };
  }
  return result;
}

function reference(field: string, credential: Credential | undefined): Record<string, string> {
  if (credential === undefined) return {};
  if ('file' in credential) return { [field]: credential.file };
  return { [`${field}-data`]: Buffer.from(credential.text).toString('base64') };
}

function parseRoot(text: string): Section {
  let root: unknown;
  try {
    root = load(text);
  } catch (error) {
    throw invalid(`not YAML: ${messageOf(error).split('\n', 1)[0]}`, error);
  }
  if (!isSection(root)) throw invalid('not a YAML mapping');
  const kind = root['kind'];
  if (kind !== undefined && kind !== 'Config') throw invalid(`kind is ${JSON.stringify(kind)}, not "Config"`);
  return root;
}

function named(root: Section, list: string, field: string, name: string): Section {
  if (name === '') throw invalid(list === 'contexts' ? 'no current-context' : `the context names no ${field}`);
  const body = entriesOf(root, list).find((entry) => entry['name'] === name)?.[field];
  if (!isSection(body)) throw invalid(`${list} has no entry named "${name}"`);
  return body;
}

function entriesOf(root: Section, list: string): readonly Section[] {
  const entries = root[list];
  return Array.isArray(entries) ? entries.filter(isSection) : [];
}

/** The cluster of a file that has no contexts and one cluster, as kubeadm's cluster-info is. */
function onlyCluster(root: Section): Section | undefined {
  const [contexts, clusters] = [root['contexts'] ?? [], root['clusters']];
  if (!Array.isArray(contexts) || contexts.length > 0 || !Array.isArray(clusters) || clusters.length !== 1)
    return undefined;
  const cluster: unknown = isSection(clusters[0]) ? clusters[0]['cluster'] : undefined;
  return isSection(cluster) ? cluster : undefined;
}

const unsupported: Readonly<Record<string, string>> = {
  exec: 'runs a program for credentials (exec)',
  'auth-provider': 'uses an auth-provider',
  username: 'uses a user name and password',
  as: 'impersonates another user (as)',
};

function refuseUnsupported(name: string, user: Section): void {
  for (const [field, what] of Object.entries(unsupported)) {
    if (user[field] === undefined) continue;
    throw new CodedError('KUBECONFIG_UNSUPPORTED', `the kubeconfig user "${name}" ${what}`, {
      exit: 'invalidInput',
      hint: 'use a kubeconfig with a client certificate or a token; k8ts writes one to /etc/kubernetes/admin.conf',
    });
  }
}

function pemOrFile(section: Section, field: string, folder: string | undefined): Credential | undefined {
  const inline = string(section, `${field}-data`);
  if (inline !== undefined) return { text: Buffer.from(inline, 'base64').toString('utf8') };
  return fileAt(string(section, field), folder);
}

function tokenOf(user: Section, folder: string | undefined): Credential | undefined {
  // A token file is read again when it changes, so it wins over the text, as in client-go.
  const file = fileAt(string(user, 'tokenFile'), folder);
  const text = string(user, 'token');
  return file ?? (text === undefined ? undefined : { text });
}

function fileAt(path: string | undefined, folder: string | undefined): Credential | undefined {
  if (path === undefined) return undefined;
  return { file: isAbsolute(path) || folder === undefined ? path : join(folder, path) };
}

function string(section: Section, field: string): string | undefined {
  const value = section[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(problem: string, cause?: unknown): CodedError {
  return new CodedError('KUBECONFIG_INVALID', `the kubeconfig cannot be used: ${problem}`, {
    exit: 'invalidInput',
    hint: 'check the file with kubectl config view --kubeconfig FILE',
    cause,
  });
}
