export { type RoleAggregationOptions, startRoleAggregation } from './aggregation.ts';
export { type Authorization, createAuthorization } from './authorization.ts';
export { forbidden } from './forbidden.ts';
export type { SelectingAttributes } from './node-authorizer.ts';
