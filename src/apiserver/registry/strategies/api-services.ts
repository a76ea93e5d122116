// APIServices: one that this server serves itself is available from the moment it is stored.
// Source: kube-aggregator pkg/registry/apiservice/strategy.go.

import type { APIService } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { withField } from './fields.ts';

export const apiServices: Strategy = {
  needsResourceVersion: true,
  keepsStatus: true,
  create: (object, { now }) =>
    withField(object, 'status', (object as APIService).spec?.service === undefined ? localStatus(now) : {}),
};

function localStatus(now: string): object {
  const condition = {
    type: 'Available',
    status: 'True',
    lastTransitionTime: now,
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
  return { conditions: [condition] };
}
