export { createAdmission, type PluginChoice } from './plugins.ts';
