export { createReviews, type ReviewsOptions } from './reviews.ts';
export type { Review, ReviewRequest } from './types.ts';
