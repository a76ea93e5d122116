// What request handlers need of the registry, as one value.

import type { Clock } from '../../base/index.ts';
import type { Store } from '../../store/index.ts';
import type { WatchCache } from '../cache/index.ts';
import type { BufferPool } from '../http/list-body.ts';
import type { WatchHub } from '../watch/index.ts';
import type { AdmissionChain } from './admission-chain.ts';
import type { FieldManagement } from './field-management.ts';
import type { ResourceTable } from './resource.ts';
import type { Writer } from './writing.ts';

export interface Registry {
  readonly cache: WatchCache;
  readonly store: Store;
  readonly resources: ResourceTable;
  readonly watches: WatchHub;
  readonly writer: Writer;
  readonly fields: FieldManagement;
  /** Writes that admission has judged already, or that the server makes by itself. */
  readonly unjudged: Writer;
  readonly admission: AdmissionChain;
  readonly clock: Clock;
  /** For the pieces of big lists. */
  readonly pool: BufferPool;
}
