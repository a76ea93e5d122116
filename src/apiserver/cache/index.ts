export { CachedObject, type Labels } from './cached-object.ts';
export { CacheEvent, type EventType, frameOf, jsonFrame } from './events.ts';
export { isSame, type Layout, layOut, stamped, unstamped } from './layout.ts';
export type { EventListener, ResourceCache } from './resource-cache.ts';
export { lowerBound } from './sorted-objects.ts';
export { registryRoot, startWatchCache, type WatchCache } from './watch-cache.ts';
