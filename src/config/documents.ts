// A configuration file: one or more YAML documents, ours or kubeadm's. Which of them make up what `init` or `join` is told is
// a table; the others in the file are named and left alone, because people keep everything in one file.

import { loadAll } from 'js-yaml';
import type * as z from 'zod';
import { CodedError, messageOf } from '../base/index.ts';
import { type ClusterDocument, clusterDocument, documentVersion, emptyClusterDocument } from './cluster-document.ts';
import { emptyJoinDocument, type JoinDocument, joinDocument } from './join-document.ts';
import {
  clusterRules,
  initRules,
  isRecord,
  joinRules,
  kubeletRules,
  type Note,
  proxyRules,
  type Rule,
  translate,
} from './kubeadm/index.ts';
import { parseDocument } from './schema-errors.ts';

export interface Given<Document> {
  readonly document: Document;
  /** About fields without effect, to be said to the person. */
  readonly warnings: readonly string[];
}

type Purpose = 'init' | 'join';

interface Foreign {
  readonly group: string;
  readonly versions: readonly string[];
  readonly kind: string;
  /** undefined: read by neither. */
  readonly purpose: Purpose | undefined;
  readonly rules: readonly Rule[];
}

const kubeadmVersions = ['v1beta4', 'v1beta3'];
const foreignKinds: readonly Foreign[] = [
  ...(
    [
      { kind: 'InitConfiguration', purpose: 'init', rules: initRules },
      { kind: 'ClusterConfiguration', purpose: 'init', rules: clusterRules },
      { kind: 'JoinConfiguration', purpose: 'join', rules: joinRules },
      { kind: 'ResetConfiguration', purpose: undefined, rules: [] },
      { kind: 'UpgradeConfiguration', purpose: undefined, rules: [] },
    ] as const
  ).map((one) => ({ group: 'kubeadm.k8s.io', versions: kubeadmVersions, ...one })),
  {
    group: 'kubelet.config.k8s.io',
    versions: ['v1beta1'],
    kind: 'KubeletConfiguration',
    purpose: 'init',
    rules: kubeletRules,
  },
  {
    group: 'kubeproxy.config.k8s.io',
    versions: ['v1alpha1'],
    kind: 'KubeProxyConfiguration',
    purpose: 'init',
    rules: proxyRules,
  },
];

interface Section {
  readonly kind: string;
  readonly purpose: Purpose | undefined;
  readonly content: Readonly<Record<string, unknown>>;
  /** Absent: a document of ours. */
  readonly rules?: readonly Rule[];
}

/** @throws CodedError CONFIG_UNREADABLE, CONFIG_INVALID, CONFIG_UNSUPPORTED, CONFIG_AMBIGUOUS */
export function readInitFile(yaml: string, source: string): Given<ClusterDocument> {
  return pick(readSections(yaml, source), source, clusterDocument, { purpose: 'init', empty: emptyClusterDocument });
}

/** @throws CodedError CONFIG_UNREADABLE, CONFIG_INVALID, CONFIG_UNSUPPORTED, CONFIG_AMBIGUOUS */
export function readJoinFile(yaml: string, source: string): Given<JoinDocument> {
  return pick(readSections(yaml, source), source, joinDocument, { purpose: 'join', empty: emptyJoinDocument });
}

/** Everything in a file, as documents of ours. */
export function readWholeFile(yaml: string, source: string): Given<readonly (ClusterDocument | JoinDocument)[]> {
  const sections = readSections(yaml, source);
  const has = (purpose: Purpose): boolean => sections.some((section) => section.purpose === purpose);
  const init = has('init') ? [readInitFile(yaml, source)] : [];
  const join = has('join') ? [readJoinFile(yaml, source)] : [];
  const unread = sections.filter(({ purpose }) => purpose === undefined).map((section) => unreadWarning(section));
  const warnings = [...init, ...join]
    .flatMap((given) => given.warnings)
    .filter((line) => !/ is not read by /.test(line));
  return { document: [...init, ...join].map(({ document }) => document), warnings: [...warnings, ...unread] };
}

function pick<Document extends object>(
  sections: readonly Section[],
  source: string,
  schema: z.ZodType<Document>,
  { purpose, empty }: { readonly purpose: Purpose; readonly empty: Document },
): Given<Document> {
  const wanted = sections.filter((section) => section.purpose === purpose);
  const others = sections
    .filter((section) => section.purpose !== purpose)
    .map((section) => unreadWarning(section, purpose));
  requireOneVoice(wanted, source);
  const [own] = wanted;
  if (own === undefined) {
    throw new CodedError('CONFIG_INVALID', `${source} holds nothing for k8ts ${purpose}`, {
      exit: 'invalidInput',
      hint: `k8ts config print ${purpose} shows what it may hold`,
    });
  }
  if (own.rules === undefined) return { document: parseDocument(schema, own.content, source), warnings: others };
  const { document, notes } = translate(wanted.map(({ kind, content, rules = [] }) => ({ kind, content, rules })));
  requireHonoured(notes, source);
  const warnings = notes.map(({ path, why }) => `${path} has no effect: ${why}`);
  const whole = parseDocument(schema, { ...empty, ...document }, `${source}, as a document of k8ts,`);
  return { document: whole, warnings: [...warnings, ...others] };
}

function unreadWarning({ kind }: Section, purpose?: Purpose): string {
  return purpose === undefined
    ? `${kind} is not carried over: k8ts has its settings as flags`
    : `${kind} is not read by k8ts ${purpose}`;
}

function requireOneVoice(sections: readonly Section[], source: string): void {
  const own = sections.filter(({ rules }) => rules === undefined).length;
  const twice = sections.find(({ kind }, at) => sections.findIndex((other) => other.kind === kind) !== at);
  if (own === 0 && twice === undefined) return;
  if (own === 1 && sections.length === 1) return;
  const kinds = sections.map(({ kind }) => kind).join(', ');
  throw new CodedError('CONFIG_AMBIGUOUS', `${source} says the same thing more than once: ${kinds}`, {
    exit: 'invalidInput',
    hint: `keep one ${documentVersion} document, or kubeadm's kinds once each`,
  });
}

function requireHonoured(notes: readonly Note[], source: string): void {
  const errors = notes.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const lines = errors.map(({ path, why }) => `  ${path}: ${why}`);
  throw new CodedError('CONFIG_UNSUPPORTED', `${source} asks for what k8ts does not do:\n${lines.join('\n')}`, {
    exit: 'invalidInput',
    hint: 'take these fields out of the file',
  });
}

function readSections(yaml: string, source: string): readonly Section[] {
  const documents = loadDocuments(yaml, source).filter((value) => value !== null && value !== undefined);
  if (documents.length === 0) {
    throw new CodedError('CONFIG_UNREADABLE', `${source} holds no document`, {
      exit: 'invalidInput',
      hint: 'k8ts config print init shows what it may hold',
    });
  }
  return documents.map((value) => sectionOf(value, source));
}

function loadDocuments(yaml: string, source: string): readonly unknown[] {
  try {
    return loadAll(yaml);
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${source} is not YAML: ${messageOf(error).split('\n', 1)[0]}`, {
      exit: 'invalidInput',
      cause: error,
    });
  }
}

function sectionOf(value: unknown, source: string): Section {
  const content = isRecord(value) ? value : {};
  const { apiVersion, kind } = content;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    throw unknown(source, 'a document without apiVersion and kind');
  }
  if (apiVersion === documentVersion) {
    if (kind === 'ClusterConfiguration') return { kind, purpose: 'init', content };
    if (kind === 'JoinConfiguration') return { kind, purpose: 'join', content };
  }
  const [group = '', version = ''] = apiVersion.split('/');
  const foreign = foreignKinds.find((one) => one.group === group && one.kind === kind);
  if (foreign === undefined) throw unknown(source, `${apiVersion} ${kind}`);
  if (!foreign.versions.includes(version)) {
    const versions = foreign.versions.map((one) => `${group}/${one}`).join(' and ');
    throw new CodedError('CONFIG_VERSION', `${source} holds ${apiVersion} ${kind}; k8ts reads ${versions}`, {
      exit: 'invalidInput',
      hint: `bring it up to date: kubeadm config migrate --old-config ${source}`,
    });
  }
  const { purpose, rules } = foreign;
  return { kind, purpose, rules, content };
}

function unknown(source: string, what: string): CodedError {
  return new CodedError('CONFIG_KIND', `${source} holds ${what}, which k8ts does not read`, {
    exit: 'invalidInput',
    hint: `it reads ClusterConfiguration and JoinConfiguration of ${documentVersion}, and kubeadm's kinds`,
  });
}
