export { createWatchHub, type WatchHub, type WatchStart } from './hub.ts';
export type { WatcherOptions } from './watcher.ts';
