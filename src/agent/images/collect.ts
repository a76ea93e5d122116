// Removes images that no container uses once their disk is more than 85 % full, largest first, until it is 80 % full.
// The runtime does not say when an image was last used, so size stands in for age. Pure plan; thresholds are the kubelet's.

import type { Container, Image } from '../../cri/index.ts';

const imageDiskShares = { high: 0.85, low: 0.8 } as const;

export interface DiskUse {
  readonly sizeBytes: number;
  readonly usedBytes: number;
}

/** Ids of the images to remove, in order. */
export function planImageCollection(
  images: readonly Image[],
  containers: readonly Container[],
  disk: DiskUse,
): readonly string[] {
  if (disk.usedBytes <= disk.sizeBytes * imageDiskShares.high) return [];
  const inUse = new Set(containers.flatMap(({ imageRef, image }) => [imageRef, image?.image ?? '']));
  let surplus = disk.usedBytes - disk.sizeBytes * imageDiskShares.low;
  const victims: string[] = [];
  for (const image of images.toSorted((a, b) => b.size - a.size)) {
    if (surplus <= 0) break;
    if (image.pinned || isSandboxImage(image)) continue;
    if ([image.id, ...image.repoTags, ...image.repoDigests].some((name) => inUse.has(name))) continue;
    victims.push(image.id);
    surplus -= image.size;
  }
  return victims;
}

/** containerd 1.6 does not mark the image that every sandbox needs as pinned. */
function isSandboxImage({ repoTags }: Image): boolean {
  return repoTags.some((tag) => /(^|\/)pause(:|$)/.test(tag));
}
