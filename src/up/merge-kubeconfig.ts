// Puts one cluster into a kubeconfig that a person already has: its cluster, user and context get the context's name, all
// other entries stay as they are, fields that we do not know included. An entry of that name which leads elsewhere is
// somebody's: it is not replaced.

import { isDeepStrictEqual } from 'node:util';
import { dump, load } from 'js-yaml';
import { CodedError, messageOf } from '../base/index.ts';

interface Entry {
  readonly name: string;
  readonly [field: string]: unknown;
}

type Document = Readonly<Record<string, unknown>>;

export interface Merge {
  /** The file so far; undefined: there is none. */
  readonly into: string | undefined;
  /** Its path, for messages. */
  readonly path: string;
  /** A kubeconfig with one cluster, user and context. */
  readonly from: string;
  readonly context: string;
}

/**
 * The merged file; undefined when it says all that already. The current context is set only where there was none.
 * @throws CodedError KUBECONFIG_INVALID, KUBECONFIG_CONTEXT_TAKEN
 */
export function mergeKubeconfig({ into, path, from, context }: Merge): string | undefined {
  const source = documentOf(from, 'admin.conf');
  const target = into === undefined || into.trim() === '' ? {} : documentOf(into, path);
  const cluster = { ...only(source, 'clusters'), name: context };
  const user = { ...only(source, 'users'), name: context };
  const entry = { name: context, context: { cluster: context, user: context } };
  const before = entriesOf(target, 'clusters', path).find(({ name }) => name === context);
  if (before !== undefined && serverOf(before) !== serverOf(cluster)) {
    throw new CodedError(
      'KUBECONFIG_CONTEXT_TAKEN',
      `${path} has a cluster ${context} already, at ${serverOf(before)} instead of ${serverOf(cluster)}`,
      { hint: 'pass --context with another name, or remove the old one: kubectl config delete-cluster NAME' },
    );
  }
  const namespace = keptContext(target, context, path);
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    ...target,
    clusters: withEntry(entriesOf(target, 'clusters', path), cluster),
    contexts: withEntry(entriesOf(target, 'contexts', path), namespace ?? entry),
    users: withEntry(entriesOf(target, 'users', path), user),
    'current-context': target['current-context'] || context,
  };
  return isDeepStrictEqual(merged, target) ? undefined : dump(merged, { lineWidth: -1 });
}

/** The context that is there, when it leads to this cluster: a person may have set its namespace. */
function keptContext(target: Document, name: string, path: string): Entry | undefined {
  const have = entriesOf(target, 'contexts', path).find((entry) => entry.name === name);
  const body = have?.['context'];
  return isDocument(body) && body['cluster'] === name && body['user'] === name ? have : undefined;
}

function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  return entries.some(({ name }) => name === entry.name)
    ? entries.map((have) => (have.name === entry.name ? entry : have))
    : [...entries, entry];
}

function entriesOf(document: Document, list: string, path: string): readonly Entry[] {
  const entries = document[list] ?? [];
  if (Array.isArray(entries) && entries.every((entry) => isDocument(entry) && typeof entry['name'] === 'string'))
    return entries as readonly Entry[];
  throw invalid(path, `${list} is not a list of named entries`);
}

function only(document: Document, list: string): Entry {
  const [first] = entriesOf(document, list, 'admin.conf');
  if (first === undefined) throw invalid('admin.conf', `it has no ${list}`);
  return first;
}

function serverOf(entry: Entry): string {
  const body = entry['cluster'];
  return isDocument(body) ? String(body['server']) : '';
}

function documentOf(text: string, path: string): Document {
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    throw invalid(path, `not YAML: ${messageOf(error).split('\n', 1)[0]}`);
  }
  if (!isDocument(value)) throw invalid(path, 'not a YAML mapping');
  return value;
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, problem: string): CodedError {
  return new CodedError('KUBECONFIG_INVALID', `kubeconfig ${path} cannot be used: ${problem}`, {
    exit: 'invalidInput',
    hint: 'mend the file, or pass --kubeconfig with another one',
  });
}
