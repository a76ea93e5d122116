// What the status of a CustomResourceDefinition says: which of its names are accepted, and that it is established. Pure.
// Source: apiextensions-apiserver pkg/controller/status (naming_controller.go) and pkg/controller/establish.

import type { CustomResourceDefinition } from '../../api/index.ts';

type Status = NonNullable<CustomResourceDefinition['status']>;
type Condition = NonNullable<Status['conditions']>[number];
type Names = CustomResourceDefinition['spec']['names'];

/** The status that `definition` should have among `others`, the other definitions of its group. */
export function statusOf(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): Status {
  const { status, spec } = definition;
  const taken = takenBy(others);
  const { accepted, conflict } = judgeNames(spec.names, status?.acceptedNames, taken);
  const wasEstablished = isEstablished(definition);
  const namesAccepted: Omit<Condition, 'lastTransitionTime'> =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', reason: conflict.reason, message: conflict.message };
  const established: Omit<Condition, 'lastTransitionTime'> =
    conflict === undefined || wasEstablished
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
      : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
  const conditions = withCondition(withCondition(status?.conditions ?? [], namesAccepted, now), established, now);
  return {
    ...status,
    acceptedNames: accepted,
    conditions: [...conditions],
    storedVersions: status?.storedVersions ?? [],
  } as Status;
}

export function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') === true;
}

/** `conditions` with `wanted` in it; the time changes only with the status. */
export function withCondition(
  conditions: readonly Condition[],
  wanted: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): readonly Condition[] {
  const held = conditions.find(({ type }) => type === wanted.type);
  const since = held?.status === wanted.status ? held.lastTransitionTime : undefined;
  const next = { lastTransitionTime: since ?? now, ...wanted } as unknown as Condition;
  return held === undefined ? [...conditions, next] : conditions.map((one) => (one === held ? next : one));
}

interface Taken {
  /** Plural, singular and short names share one space; kinds and list kinds another. */
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

function takenBy(others: readonly CustomResourceDefinition[]): Taken {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const { plural, singular, shortNames = [], kind, listKind } = status?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name);
    for (const name of [kind, listKind]) if (name) kinds.add(name);
  }
  return { resources, kinds };
}

interface Judged {
  readonly accepted: Names;
  readonly conflict: { readonly reason: string; readonly message: string } | undefined;
}

function judgeNames(wanted: Names, before: Partial<Names> | undefined, { resources, kinds }: Taken): Judged {
  const clashes: { readonly reason: string; readonly message: string }[] = [];
  const free = (name: string | undefined, taken: ReadonlySet<string>, reason: string): boolean => {
    if (name === undefined || !taken.has(name)) return true;
    clashes.push({ reason, message: `${JSON.stringify(name)} is already in use` });
    return false;
  };
  const plural = free(wanted.plural, resources, 'PluralConflict') ? wanted.plural : (before?.plural ?? '');
  const singular = free(wanted.singular, resources, 'SingularConflict') ? wanted.singular : before?.singular;
  const kind = free(wanted.kind, kinds, 'KindConflict') ? wanted.kind : (before?.kind ?? '');
  const listKind = free(wanted.listKind, kinds, 'ListKindConflict') ? wanted.listKind : before?.listKind;
  const shortNames = (wanted.shortNames ?? []).filter((name) => free(name, resources, 'ShortNamesConflict'));
  const accepted = {
    plural,
    kind,
    ...(singular === undefined ? {} : { singular }),
    ...(listKind === undefined ? {} : { listKind }),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(wanted.categories === undefined ? {} : { categories: wanted.categories }),
  };
  return { accepted, conflict: clashes[0] };
}

/** The status of a definition whose instances are being deleted. */
export function endingStatus({ status }: CustomResourceDefinition, now: string): Status {
  const terminating = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
  };
  return { ...status, conditions: [...withCondition(status?.conditions ?? [], terminating, now)] } as Status;
}
