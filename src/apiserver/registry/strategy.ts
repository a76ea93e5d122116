// What one kind does beside the rules that hold for all: fields the server sets, what an update may not touch, how it is
// deleted. A kind without an entry follows the general rules. Source: k8s.io/kubernetes pkg/registry/*/*/strategy.go.

import type { KindSpec, KubeObject } from '../../api/index.ts';
import type { UserInfo } from '../contracts.ts';
import type { ServiceAllocator } from './service-allocation.ts';
import { bodyFields } from './strategies/fields.ts';

export interface StrategyContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly services: ServiceAllocator;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** Runs when the write is done or refused: gives back what was reserved for it and is not in the cache. */
  onDone(undo: () => void): void;
}

export interface Strategy {
  /** Sets the server's fields of a new object; its metadata is complete. */
  readonly create?: (object: KubeObject, context: StrategyContext) => KubeObject;
  /** The same for an update of the main resource; status is the old one already. */
  readonly update?: (object: KubeObject, old: KubeObject, context: StrategyContext) => KubeObject;
  /** Which fields an update of /status takes over from the new object; default: status and metadata. */
  readonly status?: (object: KubeObject, old: KubeObject, context: StrategyContext) => KubeObject;
  /** PUT without resourceVersion is refused. */
  readonly needsResourceVersion?: true;
  /** PUT of a name that does not exist creates it. */
  readonly createOnUpdate?: true;
  /** DELETE answers the object, not a Status. */
  readonly answersDeleted?: true;
  /** Status given at creation is kept. */
  readonly keepsStatus?: true;
  /** Seconds between DELETE and removal; undefined: at once. `wanted` is what the request says. */
  readonly grace?: (object: KubeObject, wanted: number | undefined) => number;
  /** Called with an object that is about to be marked as deleted; a namespace becomes Terminating. */
  readonly terminating?: (object: KubeObject) => KubeObject;
  /** Something beside metadata.finalizers holds the object (a namespace's spec.finalizers). */
  readonly isHeld?: (object: KubeObject) => boolean;
}

/** A new object of any kind starts without status, unless its strategy says otherwise. */
export function withoutStatus(object: KubeObject, kind: KindSpec): KubeObject {
  return hasStatus(kind) ? { ...object, ...bodyFields({ status: {} }) } : object;
}

export function hasStatus(kind: KindSpec): boolean {
  return kind.subresources?.some(({ name }) => name === 'status') ?? false;
}
