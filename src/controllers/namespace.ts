// namespace: empties a namespace that is being deleted, tells in its conditions what is left, and lets it go when nothing
// is. Pods go first (KEP-5080): what they use must not vanish under them. What is in it is read live, because the last
// look before the end must not be at a late cache; the caches' deletions only say when to look again.

import { type KindSpec, type KubeObject, kinds, type Namespace, type Stored, timestamp } from '../api/index.ts';
import { ApiStatusError, keyOf } from '../client/index.ts';
import { later, removeAll, updateSubresource } from './actions.ts';
import { type Action, type Controller, type Failure, type LiveReader, type Watch, watch } from './controller.ts';
import { kindOfDefinition } from './custom-kinds.ts';
import { isSame } from './equality.ts';
import { ownableKinds, storedKinds } from './stored-kinds.ts';

const finalizer = 'kubernetes';
/** Backstops for kinds whose deletions nobody watches, and for finalizers of others, ms. */
const soon = 200;
const whileWaiting = 5_000;

type Condition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

export const namespaceController: Controller = {
  name: 'namespace-controller',
  parallel: 10,
  watches: [
    watch(kinds.namespace, (namespace) => (isEnding(namespace) ? [keyOf(namespace)] : [])),
    ...ownableKinds.filter(({ namespaced }) => namespaced).map(watchContent),
  ],
  ofCustomKind: (kind) => ({ watch: watchContent(kind) }),
  async reconcile(name, { view, live, failure, now }) {
    const namespace = view.get(kinds.namespace, name);
    if (namespace === undefined || !isEnding(namespace)) return [];
    return reconcileNamespace(namespace, await contentsOf(name, live), failure, now);
  },
};

function watchContent(kind: KindSpec): Watch {
  return watch<KubeObject>(kind, ({ metadata }, view, { type }) => {
    if (type !== 'deleted') return [];
    const namespace = view.get(kinds.namespace, metadata.namespace ?? '');
    return namespace !== undefined && isEnding(namespace) ? [keyOf(namespace)] : [];
  });
}

function isEnding({ metadata, spec }: Namespace): boolean {
  return metadata?.deletionTimestamp !== undefined && (spec?.finalizers ?? []).includes(finalizer);
}

/** Objects of one kind that are still there; at most 500 of each are looked at. */
export interface Content {
  readonly kind: KindSpec;
  readonly objects: readonly Stored<KubeObject>[];
}

async function contentsOf(namespace: string, live: LiveReader): Promise<readonly Content[]> {
  const { items: definitions } = await live.list(kinds.customResourceDefinition);
  const all = await Promise.all(
    [...storedKinds, ...definitions.flatMap((one) => kindOfDefinition(one) ?? [])]
      .filter(({ namespaced }) => namespaced)
      .map(async (kind) => ({ kind, objects: await objectsOf(kind, namespace, live) })),
  );
  return all.filter(({ objects }) => objects.length > 0);
}

async function objectsOf(kind: KindSpec, namespace: string, live: LiveReader): Promise<Content['objects']> {
  try {
    return (await live.list<KubeObject>(kind, { namespace, limit: 500 })).items;
  } catch (error) {
    // The definition of a custom kind is gone, and all its objects with it.
    if (error instanceof ApiStatusError && error.reason === 'NotFound') return [];
    throw error;
  }
}

export function reconcileNamespace(
  namespace: Stored<Namespace>,
  contents: readonly Content[],
  failure: Failure | undefined,
  now: number,
): readonly Action[] {
  const report = tell(namespace, contents, failure, now);
  if (contents.length === 0) {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((one) => one !== finalizer);
    return [updateSubresource(kinds.namespace, 'finalize', { ...namespace, spec: { ...namespace.spec, finalizers } })];
  }
  const pods = contents.filter(({ kind }) => kind.plural === 'pods' && kind.group === '');
  const first = pods.length > 0 ? pods : contents;
  const untouched = first.filter(({ objects }) =>
    objects.some(({ metadata }) => metadata.deletionTimestamp === undefined),
  );
  return [
    later(untouched.length > 0 ? soon : whileWaiting),
    ...report,
    ...untouched.map(({ kind }) => removeAll(kind, namespace.metadata.name)),
  ];
}

function tell(
  namespace: Stored<Namespace>,
  contents: readonly Content[],
  failure: Failure | undefined,
  now: number,
): readonly Action[] {
  const { conditions = [] } = namespace.status ?? {};
  const next = conditionTexts(contents, failure).map((text) => {
    const held = conditions.find(({ type }) => type === text.type);
    if (held !== undefined && isSame({ ...held, lastTransitionTime: undefined }, text)) return held;
    const since = held?.status === text.status ? held.lastTransitionTime : undefined;
    return { ...text, lastTransitionTime: since ?? timestamp(now) };
  });
  const others = conditions.filter(({ type }) => !next.some((one) => one.type === type));
  const status = { ...namespace.status, phase: 'Terminating', conditions: [...others, ...next] };
  return isSame(status, namespace.status)
    ? []
    : [updateSubresource(kinds.namespace, 'status', { ...namespace, status })];
}

/** The five conditions of upstream's namespace deletion. Kinds are in the table, so discovery and parsing never fail. */
function conditionTexts(contents: readonly Content[], failure: Failure | undefined): readonly Condition[] {
  const failed = failure?.action === 'deleteAll';
  const finalizers = finalizersIn(contents);
  return [
    text('NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'),
    text(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    failed
      ? text('NamespaceDeletionContentFailure', true, 'ContentDeletionFailed', failure.message)
      : text(
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ),
    contents.length === 0
      ? text('NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed')
      : text('NamespaceContentRemaining', true, 'SomeResourcesRemain', remaining(contents)),
    finalizers.length === 0
      ? text(
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        )
      : text('NamespaceFinalizersRemaining', true, 'SomeFinalizersRemain', finalizers),
  ];
}

function text(type: string, status: boolean, reason: string, message: string): Condition {
  return { type, status: status ? 'True' : 'False', reason, message };
}

function remaining(contents: readonly Content[]): string {
  const parts = contents.map(
    ({ kind, objects }) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`,
  );
  return `Some resources are remaining: ${parts.join(', ')}`;
}

function finalizersIn(contents: readonly Content[]): string {
  const counts = new Map<string, number>();
  for (const name of contents.flatMap(({ objects }) => objects).flatMap(({ metadata }) => metadata.finalizers ?? [])) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => `${name} in ${count} resource instances`);
  return parts.length === 0 ? '' : `Some content in the namespace has finalizers remaining: ${parts.join(', ')}`;
}
