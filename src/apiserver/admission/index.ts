export { type AdmissionOptions, createAdmissionPlugins } from './plugins.ts';
