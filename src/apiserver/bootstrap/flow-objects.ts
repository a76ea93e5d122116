// The FlowSchemas and PriorityLevelConfigurations that every cluster has: who is served first when there is too much to do.
// Flow control starts with these very values before it reads what is stored. Upstream's mandatory objects (exempt,
// catch-all) are kept as they are here; the suggested ones as long as their annotation says so.
// Source: k8s.io/apiserver pkg/apis/flowcontrol/bootstrap/default.go.

import { type FlowSchema, kinds, type PriorityLevelConfiguration, sameJson } from '../../api/index.ts';
import type { ObjectWriter } from '../contracts.ts';
import { ensureReconciled, type Named } from './ensure.ts';

type Rules = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = Rules['subjects'][number];

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const autoUpdate = 'apf.kubernetes.io/autoupdate-spec';

const users = (...names: readonly string[]): readonly Subject[] =>
  names.map((name) => ({ kind: 'User', user: { name } }));
const groups = (...names: readonly string[]): readonly Subject[] =>
  names.map((name) => ({ kind: 'Group', group: { name } }));
const systemAccounts = (...names: readonly string[]): readonly Subject[] =>
  names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } }));

const everyone = groups('system:unauthenticated', 'system:authenticated');
const everything: Pick<Rules, 'resourceRules' | 'nonResourceRules'> = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};
const resources = (verbs: readonly string[], apiGroup: string, ...names: readonly string[]) => ({
  ...{ verbs: [...verbs], apiGroups: [apiGroup], resources: [...names], namespaces: ['*'] },
});
const leases = { resourceRules: [resources(['get', 'create', 'update'], 'coordination.k8s.io', 'leases')] };

interface SchemaRow {
  readonly name: string;
  readonly level: string;
  readonly precedence: number;
  readonly by?: 'ByUser' | 'ByNamespace';
  readonly subjects: readonly Subject[];
  readonly rules: Pick<Rules, 'resourceRules' | 'nonResourceRules'>;
}

const schemaRows: readonly SchemaRow[] = [
  { name: 'exempt', level: 'exempt', precedence: 1, subjects: groups('system:masters'), rules: everything },
  {
    name: 'probes',
    level: 'exempt',
    precedence: 2,
    subjects: everyone,
    rules: { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  },
  {
    name: 'system-leader-election',
    level: 'leader-election',
    precedence: 100,
    by: 'ByUser',
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...systemAccounts('*')],
    rules: leases,
  },
  {
    name: 'endpoint-controller',
    level: 'workload-high',
    precedence: 150,
    by: 'ByUser',
    subjects: [
      ...users('system:kube-controller-manager'),
      ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller'),
    ],
    rules: { resourceRules: [resources(['get', 'create', 'update'], '', 'endpoints')] },
  },
  {
    name: 'workload-leader-election',
    level: 'leader-election',
    precedence: 200,
    by: 'ByUser',
    subjects: systemAccounts('*'),
    rules: leases,
  },
  {
    name: 'system-node-high',
    level: 'node-high',
    precedence: 400,
    by: 'ByUser',
    subjects: groups('system:nodes'),
    rules: {
      resourceRules: [
        { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], namespaces: ['*'], clusterScope: true },
        resources(['*'], 'coordination.k8s.io', 'leases'),
      ],
    },
  },
  {
    name: 'system-nodes',
    level: 'system',
    precedence: 500,
    by: 'ByUser',
    subjects: groups('system:nodes'),
    rules: everything,
  },
  {
    name: 'kube-controller-manager',
    level: 'workload-high',
    precedence: 800,
    by: 'ByNamespace',
    subjects: users('system:kube-controller-manager'),
    rules: everything,
  },
  {
    name: 'kube-scheduler',
    level: 'workload-high',
    precedence: 800,
    by: 'ByNamespace',
    subjects: users('system:kube-scheduler'),
    rules: everything,
  },
  {
    name: 'kube-system-service-accounts',
    level: 'workload-high',
    precedence: 900,
    by: 'ByNamespace',
    subjects: systemAccounts('*'),
    rules: everything,
  },
  {
    name: 'service-accounts',
    level: 'workload-low',
    precedence: 9000,
    by: 'ByUser',
    subjects: groups('system:serviceaccounts'),
    rules: everything,
  },
  {
    name: 'global-default',
    level: 'global-default',
    precedence: 9900,
    by: 'ByUser',
    subjects: everyone,
    rules: everything,
  },
  { name: 'catch-all', level: 'catch-all', precedence: 10_000, by: 'ByUser', subjects: everyone, rules: everything },
];

interface LevelRow {
  readonly name: string;
  readonly shares: number;
  readonly lendable: number;
  /** Absent: a request without a seat is refused at once. */
  readonly queues?: number;
  readonly handSize?: number;
}

const levelRows: readonly LevelRow[] = [
  { name: 'node-high', shares: 40, lendable: 25, queues: 64, handSize: 6 },
  { name: 'system', shares: 30, lendable: 33, queues: 64, handSize: 6 },
  { name: 'leader-election', shares: 10, lendable: 0, queues: 16, handSize: 4 },
  { name: 'workload-high', shares: 40, lendable: 50, queues: 128, handSize: 6 },
  { name: 'workload-low', shares: 100, lendable: 90, queues: 128, handSize: 6 },
  { name: 'global-default', shares: 20, lendable: 50, queues: 128, handSize: 6 },
  { name: 'catch-all', shares: 5, lendable: 0 },
];

const mandatory: ReadonlySet<string> = new Set(['exempt', 'catch-all']);

function metadataOf(name: string) {
  return { name, annotations: { [autoUpdate]: 'true' } };
}

export const flowSchemas: readonly Named<FlowSchema>[] = schemaRows.map(
  ({ name, level, precedence, by, subjects, rules }) => ({
    apiVersion,
    kind: 'FlowSchema',
    metadata: metadataOf(name),
    spec: {
      matchingPrecedence: precedence,
      priorityLevelConfiguration: { name: level },
      ...(by && { distinguisherMethod: { type: by } }),
      rules: [{ subjects: [...subjects], ...rules }],
    },
  }),
);

export const priorityLevels: readonly Named<PriorityLevelConfiguration>[] = [
  {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: metadataOf('exempt'),
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  ...levelRows.map(({ name, shares, lendable, queues, handSize = 0 }) => ({
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: metadataOf(name),
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: shares,
        lendablePercent: lendable,
        limitResponse:
          queues === undefined
            ? { type: 'Reject' }
            : { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
      },
    },
  })),
];

/** Creates what is missing; brings back what may not be changed, or was not by a person. */
export async function ensureFlowObjects(writer: ObjectWriter): Promise<void> {
  type FlowObject = FlowSchema | PriorityLevelConfiguration;
  const reconciled =
    <T extends FlowObject>(want: Named<T>) =>
    (have: T): T | undefined => {
      const isOurs = mandatory.has(want.metadata.name ?? '') || have.metadata?.annotations?.[autoUpdate] === 'true';
      return !isOurs || sameJson(have.spec, want.spec) ? undefined : { ...have, spec: want.spec };
    };
  await Promise.all([
    ...priorityLevels.map((want) => ensureReconciled(writer, kinds.priorityLevelConfiguration, want, reconciled(want))),
    ...flowSchemas.map((want) => ensureReconciled(writer, kinds.flowSchema, want, reconciled(want))),
  ]);
}
