export { type Bundle, type BundleOptions, bundleFor, findBundle, makeBundle } from './archive.ts';
export { type InstallOptions, installBundle } from './install-archive.ts';
export { type InstallScript, installScript } from './install-script.ts';
export { installTree } from './install-tree.ts';
export * from './places.ts';
export { isInstalled, type ProgramTree, readTree, rootOf } from './tree.ts';
