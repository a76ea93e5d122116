// A namespace and its first pod may be created in one breath: its ServiceAccount `default` is made by a controller a moment
// later, so a pod that needs it waits for that moment. Upstream asks ten times, 100 to 200 ms apart
// (plugin/pkg/admission/serviceaccount, getServiceAccount); here the change itself wakes the waiter.

import { kinds, type ServiceAccount } from '../../api/index.ts';
import type { ObjectReader } from '../contracts.ts';

/** The one account that comes by itself. */
export const defaultAccount = 'default';
const withinMs = 2000;

/** Answers the namespace's default account as soon as it exists; undefined when it did not come within two seconds. */
export function awaitDefaultAccount(reader: ObjectReader): (namespace: string) => Promise<ServiceAccount | undefined> {
  const waiters = new Map<string, Set<() => void>>();
  reader.onChange(kinds.serviceAccount, ({ type, namespace = '', name }) => {
    if (type !== 'put' || name !== defaultAccount) return;
    for (const wake of waiters.get(namespace) ?? []) wake();
  });
  return async (namespace) => {
    const here = waiters.get(namespace) ?? new Set();
    waiters.set(namespace, here);
    await new Promise<void>((wake) => {
      const timer = setTimeout(done, withinMs);
      here.add(done);
      function done(): void {
        clearTimeout(timer);
        here.delete(done);
        if (here.size === 0) waiters.delete(namespace);
        wake();
      }
    });
    return reader.get<ServiceAccount>(kinds.serviceAccount, namespace, defaultAccount);
  };
}
