export { createWatchHub, type WatchHub, type WatchStart } from './hub.ts';
