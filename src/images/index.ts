export { architectureOf, ensurePauseImage, importImages, type RuntimeAddress } from './containerd.ts';
export { type Architecture, buildImage, entriesOfTree, type ImageSpec, type LayerEntry } from './oci.ts';
export { buildPauseImage, pauseImageName, pauseProgram } from './pause.ts';
