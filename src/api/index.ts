export { apiVersionOf, type GroupVersionKind, type KindOf, type KindSpec, pathOf, type Verb } from './kind.ts';
export { kinds } from './kinds.ts';
export type * from './types.ts';
