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
      // By number: entries() makes an array for each of twenty plugins, twice a write.
      for (let at = 0; at < mutators.length; at += 1) {
        const answer = mutators[at]?.(object === request.object ? request : { ...request, object }) ?? object;
        if (answer instanceof Promise) return mutateFrom(at + 1, request, answer);
        object = answer;
      }
      return object;
    },
    validate(request) {
      for (let at = 0; at < validators.length; at += 1) {
        const answer = validators[at]?.(request);
        if (answer instanceof Promise) return validateFrom(at + 1, request, answer);
      }
      return undefined;
    },
  };
}
