// What scheduling reads of storage: claims, volumes and classes, as the informers have them.

import type { PersistentVolume, PersistentVolumeClaim, StorageClass, Stored } from '../api/index.ts';

export interface StorageView {
  claim(namespace: string, name: string): Stored<PersistentVolumeClaim> | undefined;
  volume(name: string): Stored<PersistentVolume> | undefined;
  volumes(): readonly Stored<PersistentVolume>[];
  storageClass(name: string): StorageClass | undefined;
}

export const noStorage: StorageView = {
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
};
