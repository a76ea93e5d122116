export {
  architectureOf,
  ensurePauseImage,
  exportImages,
  importArchive,
  importImages,
  type RuntimeAddress,
} from './containerd.ts';
export { type Architecture, buildImage, entriesOfTree, type ImageSpec, type LayerEntry } from './oci.ts';
export { buildPauseImage, pauseImageName, pauseProgram } from './pause.ts';
export { entriesOfRootfs } from './rootfs.ts';
