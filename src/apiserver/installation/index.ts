export { createInstallation, type InstallationHandler, type InstallationSource } from './installation.ts';
