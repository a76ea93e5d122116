// Which kinds of the table hold objects of their own: what the garbage collector and the namespace controller go through.

import { apiVersionOf, type KindSpec, kinds, type OwnerReference } from '../api/index.ts';

const every: readonly KindSpec[] = Object.values(kinds);

/** Kinds that can be listed, watched and deleted, each stored once. */
export const storedKinds: readonly KindSpec[] = every.filter(
  ({ virtual, storedAs, verbs }) =>
    virtual !== true &&
    storedAs === undefined &&
    (verbs === undefined || (['list', 'watch', 'delete'] as const).every((verb) => verbs.includes(verb))),
);

/** As upstream, Events are outside of garbage collection: too many, and they expire by themselves. */
export const ownableKinds: readonly KindSpec[] = storedKinds.filter(({ kind }) => kind !== 'Event');

const byReference = new Map(ownableKinds.map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind]));

/** undefined for a kind that this cluster does not have. A custom owner may be named by any of its versions. */
export function kindOfOwner(
  { apiVersion, kind }: OwnerReference,
  custom: readonly KindSpec[] = [],
): KindSpec | undefined {
  const builtIn = byReference.get(`${apiVersion} ${kind}`);
  const [group] = apiVersion.split('/');
  return builtIn ?? custom.find((one) => one.kind === kind && one.group === group);
}
