export { createMemoryStore } from './memory.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite/engine.ts';
export * from './store.ts';
