export type { Review, ReviewRequest } from './types.ts';
