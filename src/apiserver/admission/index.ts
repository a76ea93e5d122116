export { type Admission, type AdmissionOptions, createAdmission } from './plugins.ts';
