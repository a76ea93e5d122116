// Runs the admission plugins in order. Plugins that answer at once cost no turn of the event loop, so that nothing comes
// between reading the newest state of an object and writing on top of it unless a plugin really waits.

import type { KubeObject } from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../contracts.ts';

export interface AdmissionChain {
  /** Answers the object to go on with. */
  mutate(request: AdmissionRequest & { readonly object: KubeObject }): KubeObject | Promise<KubeObject>;
  validate(request: AdmissionRequest): void | Promise<void>;
}

export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const mutators = plugins.flatMap(({ mutate }) => (mutate === undefined ? [] : [mutate]));
  const validators = plugins.flatMap(({ validate }) => (validate === undefined ? [] : [validate]));

  async function mutateFrom(start: number, request: AdmissionRequest, first: Promise<KubeObject>): Promise<KubeObject> {
    let object = await first;
    for (const mutate of mutators.slice(start)) object = await mutate({ ...request, object });
    return object;
  }

  async function validateFrom(start: number, request: AdmissionRequest, first: Promise<void>): Promise<void> {
    await first;
    for (const validate of validators.slice(start)) await validate(request);
  }

  return {
    mutate(request) {
      let { object } = request;
      for (const [index, mutate] of mutators.entries()) {
        const answer = mutate(object === request.object ? request : { ...request, object });
        if (answer instanceof Promise) return mutateFrom(index + 1, request, answer);
        object = answer;
      }
      return object;
    },
    validate(request) {
      for (const [index, validate] of validators.entries()) {
        const answer = validate(request);
        if (answer instanceof Promise) return validateFrom(index + 1, request, answer);
      }
      return undefined;
    },
  };
}
