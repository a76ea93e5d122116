/**
 * node:http, loaded when it is first needed. An import of it makes Node load its own copy of undici as well, for the
 * WebSocket that it re-exports: some 10 ms and 3 MB of each thread, of which most never need either.
 */
export function nodeHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http');
}
