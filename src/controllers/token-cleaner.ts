// token-cleaner: deletes bootstrap tokens when they expire, each by its own timer.

import { kinds, type Secret, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { readTokenSecret } from '../tokens/index.ts';
import { later, remove } from './actions.ts';
import { isTokenSecret } from './bootstrap-signer.ts';
import { type Action, type Controller, watch } from './controller.ts';

export const tokenCleanerController: Controller = {
  name: 'token-cleaner-controller',
  watches: [watch(kinds.secret, (secret) => (isTokenSecret(secret) ? [keyOf(secret)] : []))],
  reconcile(key, { view, now }) {
    const secret = view.get(kinds.secret, key);
    return secret === undefined ? [] : reconcileToken(secret, now);
  },
};

/** For a Secret of the token type; one that is not sound has no date, and is left to whoever wrote it. */
export function reconcileToken(secret: Stored<Secret>, now: number): readonly Action[] {
  const expires = readTokenSecret(secret)?.expires?.getTime();
  if (expires === undefined || secret.metadata.deletionTimestamp !== undefined) return [];
  return expires > now ? [later(expires - now)] : [remove(kinds.secret, secret)];
}
