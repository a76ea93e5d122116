export { type DefaultObjectsOptions, ensureDefaultObjects } from './default-objects.ts';
export { firstServiceIp } from './service-ip.ts';
