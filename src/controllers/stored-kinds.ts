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

/** undefined for a kind that this cluster does not have. */
export function kindOfOwner({ apiVersion, kind }: OwnerReference): KindSpec | undefined {
  return byReference.get(`${apiVersion} ${kind}`);
}
