// PersistentVolumes and their claims: the phase they start in, and the two fields that say what a claim is filled from.
// Source: kubernetes pkg/registry/core/{persistentvolume,persistentvolumeclaim}/strategy.go, pkg/api/persistentvolumeclaim.

import type { KubeObject, PersistentVolumeClaim } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { section, withField } from './fields.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const phaseTime = 'lastPhaseTransitionTime';

export const persistentVolumes: Strategy = {
  answersDeleted: true,
  create: (object, { now }) => withField(object, 'status', { phase: 'Pending', [phaseTime]: now }),
  /** When the phase changed is the server's to say, unless the client says so itself. */
  status(object, old, { now }) {
    const [status, before] = [section(object, 'status'), section(old, 'status')];
    const [said, known] = [status[phaseTime], before[phaseTime]];
    const isChanged = status['phase'] !== before['phase'];
    const time = isChanged && (said === undefined || said === known) ? now : (said ?? known);
    return time === undefined || time === said ? object : withField(object, 'status', { ...status, [phaseTime]: time });
  },
};

export const persistentVolumeClaims: Strategy = {
  answersDeleted: true,
  create: (object) => withField(withSources(object, {}), 'status', { phase: 'Pending' }),
  update: (object, old) => withSources(object, claimSpecOf(old)),
};

function claimSpecOf(object: KubeObject): ClaimSpec {
  return section(object, 'spec') as ClaimSpec;
}

/**
 * `dataSource` and `dataSourceRef` say the same where only one of them is given. What the older field never could name is
 * ignored there, as it always was.
 */
function withSources(object: KubeObject, old: ClaimSpec): KubeObject {
  const { dataSource, dataSourceRef, ...rest } = claimSpecOf(object);
  const isKept = old.dataSource !== undefined || old.dataSourceRef !== undefined || dataSourceRef !== undefined;
  const source = isKept || isClaimOrSnapshot(dataSource) ? dataSource : undefined;
  if (dataSource === undefined && dataSourceRef === undefined) return object;
  const spec: ClaimSpec = { ...rest };
  const { namespace, ...own } = dataSourceRef ?? {};
  const first = source ?? (namespace || dataSourceRef === undefined ? undefined : own);
  const second = dataSourceRef ?? source;
  return withField(object, 'spec', {
    ...spec,
    ...(first === undefined ? {} : { dataSource: first }),
    ...(second === undefined ? {} : { dataSourceRef: second }),
  });
}

function isClaimOrSnapshot(source: ClaimSpec['dataSource']): boolean {
  const { kind, apiGroup = '' } = source ?? {};
  if (kind === 'PersistentVolumeClaim') return apiGroup === '';
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}
