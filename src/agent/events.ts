// Events about this node and its pods, through the client's recorder. The component is called kubelet, because tools look
// for that name.

import type { ObjectReference } from '../api/index.ts';
import type { Clock, Logger } from '../base/index.ts';
import { type ApiClient, createEventRecorder } from '../client/index.ts';

export interface NodeEvents {
  record(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Resolves when everything told so far is written or given up. */
  flush(): Promise<void>;
}

export function createNodeEvents(
  client: ApiClient,
  { nodeName, clock, logger }: { readonly nodeName: string; readonly clock: Clock; readonly logger: Logger },
): NodeEvents {
  const recorder = createEventRecorder(client, 'kubelet', { host: nodeName, clock, logger });
  return {
    record({ apiVersion, kind, fieldPath, ...metadata }, type, reason, message) {
      const about = {
        ...(apiVersion === undefined ? {} : { apiVersion }),
        ...(kind === undefined ? {} : { kind }),
        ...(fieldPath === undefined ? {} : { fieldPath }),
        metadata,
      };
      recorder.event(about, type, reason, message);
    },
    flush: () => recorder.flush(),
  };
}
