export { type Bundle, type BundleOptions, bundleFor, findBundle, makeBundle } from './archive.ts';
export { type InstallOptions, installBundle, installFunctions } from './install-archive.ts';
export { installTree } from './install-tree.ts';
export * from './places.ts';
export { isInstalled, type ProgramTree, readTree, rootOf } from './tree.ts';
