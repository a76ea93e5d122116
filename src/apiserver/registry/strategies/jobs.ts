// Jobs: unless the author brings a selector (manualSelector), the server makes one of the object's uid, so that no two Jobs
// ever share pods. Source: pkg/registry/batch/job/strategy.go.

import type { Job, KubeObject } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { withField } from './fields.ts';

const prefix = 'batch.kubernetes.io/';

export const jobs: Strategy = {
  create(object) {
    const { spec, metadata } = object as Job;
    if (spec?.manualSelector === true) return object;
    const uid = metadata?.uid ?? '';
    const name = metadata?.name ?? '';
    const { template, selector } = spec ?? {};
    // What the author wrote stays; validation refuses it when it is something else.
    const labels = {
      [`${prefix}controller-uid`]: uid,
      'controller-uid': uid,
      [`${prefix}job-name`]: name,
      'job-name': name,
      ...template?.metadata?.labels,
    };
    const matchLabels = { [`${prefix}controller-uid`]: uid, ...selector?.matchLabels };
    const named = isEmpty(metadata?.labels) ? { ...object, metadata: { ...metadata, labels } } : object;
    return withField(named as KubeObject, 'spec', {
      ...spec,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    });
  },
};

function isEmpty(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels === undefined || Object.keys(labels).length === 0;
}
