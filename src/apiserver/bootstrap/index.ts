export { type DefaultObjectsOptions, ensureDefaultObjects } from './default-objects.ts';
export { flowSchemas, priorityLevels } from './flow-objects.ts';
export { keepDefaultObjects } from './keep.ts';
export { firstServiceIp } from './service-ip.ts';
