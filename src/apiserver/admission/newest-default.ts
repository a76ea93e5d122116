// The default among cluster-scoped classes: the newest that is annotated as such, by name when two are as new.

import type { KubeObject } from '../../api/index.ts';

export function newestDefault<T extends KubeObject>(all: readonly T[], annotations: readonly string[]): T | undefined {
  const marked = all.filter(({ metadata }) => annotations.some((key) => metadata?.annotations?.[key] === 'true'));
  return [...marked].sort(newestFirst)[0];
}

function newestFirst({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number {
  const [older, newer] = [a?.creationTimestamp ?? '', b?.creationTimestamp ?? ''];
  if (older !== newer) return older < newer ? 1 : -1;
  return (a?.name ?? '') < (b?.name ?? '') ? -1 : 1;
}
