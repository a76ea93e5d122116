// Virtual kinds: created, answered, never stored. The registry routes POSTs of these here after authentication and
// authorization; discovery and OpenAPI list them from the same table.

import type { KubeObject } from '../../api/index.ts';
import type { UserInfo } from '../contracts.ts';

export interface ReviewRequest {
  readonly user: UserInfo;
  /** '' for cluster-scoped reviews. */
  readonly namespace: string;
  /** The parent's name for a subresource (serviceaccounts/NAME/token), '' otherwise. */
  readonly name: string;
  readonly body: KubeObject;
  readonly dryRun: boolean;
}

export interface Review {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** `tokenreviews`; for a subresource the parent's plural and its name: `serviceaccounts/token`. */
  readonly resource: string;
  /** Group and version under which the resource is served, where that differs from the kind's (serviceaccounts/token is core/v1). */
  readonly servedUnder: { readonly group: string; readonly version: string };
  readonly namespaced: boolean;
  /** The answer's body, sent with 201. Throws ApiError. */
  create(request: ReviewRequest): KubeObject | Promise<KubeObject>;
}
