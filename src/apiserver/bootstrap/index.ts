export { type DefaultObjectsOptions, ensureDefaultObjects } from './default-objects.ts';
export { flowSchemas, priorityLevels } from './flow-objects.ts';
export { keepKubernetesService } from './kubernetes-service.ts';
export { firstServiceIp } from './service-ip.ts';
