// The controllers, by upstream's names. A further controller is one file and one line here.

import { bootstrapSignerController } from './bootstrap-signer.ts';
import type { Controller } from './controller.ts';
import { cronJobController } from './cronjob.ts';
import { csrApprovingController } from './csr-approving.ts';
import { csrCleanerController } from './csr-cleaner.ts';
import { csrSigningController } from './csr-signing.ts';
import { daemonSetController } from './daemonset.ts';
import { deploymentController } from './deployment.ts';
import { disruptionController } from './disruption.ts';
import { endpointsController } from './endpoints.ts';
import { endpointSliceController } from './endpointslice.ts';
import { endpointSliceMirroringController } from './endpointslice-mirroring.ts';
import { garbageCollector } from './garbage-collector.ts';
import { autoscalerController } from './hpa.ts';
import { jobController } from './job.ts';
import { namespaceController } from './namespace.ts';
import { nodeIpamController } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGcController } from './pod-gc.ts';
import { replicaSetController } from './replicaset.ts';
import { replicationController } from './replication-controller.ts';
import { resourceQuotaController } from './resourcequota.ts';
import { rootCaController } from './root-ca.ts';
import { serviceAccountController } from './service-account.ts';
import { serviceAccountTokenController } from './service-account-token.ts';
import { statefulSetController } from './statefulset.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { tokenCleanerController } from './token-cleaner.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';
import { volumeBinderController } from './volume-binder.ts';
import { claimProtectionController, volumeProtectionController } from './volume-protection.ts';

export const controllers = [
  deploymentController,
  replicaSetController,
  replicationController,
  statefulSetController,
  daemonSetController,
  jobController,
  cronJobController,
  ttlAfterFinishedController,
  disruptionController,
  autoscalerController,
  volumeBinderController,
  claimProtectionController,
  volumeProtectionController,
  resourceQuotaController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  podGcController,
  csrApprovingController,
  csrSigningController,
  csrCleanerController,
  bootstrapSignerController,
  tokenCleanerController,
  serviceAccountController,
  serviceAccountTokenController,
  rootCaController,
  garbageCollector,
  namespaceController,
] as const satisfies readonly Controller[];

/** For help texts and for checking configuration. */
export const controllerNames: readonly string[] = controllers.map(({ name }) => name);
