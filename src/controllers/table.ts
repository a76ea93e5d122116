// The controllers, by upstream's names. A further controller is one file and one line here.

import type { Controller } from './controller.ts';
import { deploymentController } from './deployment.ts';
import { replicaSetController } from './replicaset.ts';

export const controllers = [deploymentController, replicaSetController] as const satisfies readonly Controller[];

/** For help texts and for checking configuration. */
export const controllerNames: readonly string[] = controllers.map(({ name }) => name);
