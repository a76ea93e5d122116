// Where the volume of a claim is on this machine. Volumes that are a folder of the node (local, hostPath) are used as they
// are; those of storage systems need drivers, which there are none of yet, and are refused by name.
// Source: core/v1 PersistentVolume; Kubernetes documentation, "Persistent Volumes".

import { kinds, type PersistentVolume, type Volume } from '../../api/index.ts';
import { type ApiClient, ApiStatusError } from '../../client/index.ts';

type ClaimSource = NonNullable<Volume['persistentVolumeClaim']>;
export type ClaimedFolder = NonNullable<NonNullable<PersistentVolume['spec']>['hostPath']>;

/** Throws Error with what is missing; the pod waits and asks again. */
export async function claimedFolder(
  client: ApiClient,
  namespace: string,
  { claimName, readOnly }: ClaimSource,
): Promise<ClaimedFolder> {
  if (readOnly === true) throw new Error('readOnly of a claim is not supported by k8ts yet; say it in volumeMounts');
  const claim = await client
    .get(kinds.persistentVolumeClaim, { namespace, name: claimName })
    .catch((error: unknown) => {
      if (error instanceof ApiStatusError && error.code === 404)
        throw new Error(`persistentvolumeclaim "${claimName}" not found`);
      throw error;
    });
  const name = claim.spec?.volumeName ?? '';
  if (claim.status?.phase !== 'Bound' || name === '') throw new Error(`PVC is not bound: "${claimName}"`);
  const { spec = {} } = await client.get(kinds.persistentVolume, { name });
  if (spec.claimRef?.uid !== claim.metadata.uid)
    throw new Error(`volume "${name}" is not bound to claim "${claimName}"`);
  if (spec.volumeMode === 'Block')
    throw new Error(`volume "${name}" is a block device, which is not supported by k8ts yet`);
  if (spec.hostPath !== undefined) return spec.hostPath;
  if (spec.local !== undefined) return { path: spec.local.path, type: 'Directory' };
  throw new Error(`volume "${name}" is of a type that is not supported by k8ts yet: only local and hostPath are`);
}
