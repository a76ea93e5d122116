// The columns of admission, extension, priority and flow control kinds.

import type { Column } from '../kind.ts';
import type {
  APIService,
  FlowSchema,
  KubeObject,
  PriorityClass,
  PriorityLevelConfiguration,
  RuntimeClass,
  ValidatingAdmissionPolicy,
} from '../types.ts';
import { age, count, createdAt, orNone, text } from './column.ts';

interface HasWebhooks extends KubeObject {
  readonly webhooks?: readonly unknown[];
}

export const webhookColumns: readonly Column<HasWebhooks>[] = [
  count('Webhooks', 'How many webhooks it lists.', ({ webhooks }) => webhooks?.length ?? 0),
  age,
];

export const validatingPolicyColumns: readonly Column<ValidatingAdmissionPolicy>[] = [
  count('Validations', 'How many rules it has.', ({ spec }) => spec?.validations?.length ?? 0),
  text('ParamKind', 'Kind of its parameters.', ({ spec }) =>
    spec?.paramKind === undefined ? '<unset>' : `${spec.paramKind.apiVersion}/${spec.paramKind.kind}`,
  ),
  age,
];

export const customResourceDefinitionColumns: readonly Column[] = [createdAt];

export const apiServiceColumns: readonly Column<APIService>[] = [
  text('Service', 'Service behind it, or Local.', ({ spec }) =>
    spec?.service === undefined ? 'Local' : `${spec.service.namespace}/${spec.service.name}`,
  ),
  text('Available', 'Whether it can be reached.', ({ status }) => {
    const available = (status?.conditions ?? []).find(({ type }) => type === 'Available');
    if (available === undefined) return 'Unknown';
    return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`;
  }),
  age,
];

export const priorityClassColumns: readonly Column<PriorityClass>[] = [
  count('Value', 'Priority of its pods.', ({ value }) => value ?? 0),
  {
    name: 'Global-Default',
    type: 'boolean',
    description: 'Whether pods without a class get it.',
    value: ({ globalDefault }) => globalDefault ?? false,
  },
  age,
  text('PreemptionPolicy', 'Whether its pods may push others out.', ({ preemptionPolicy }) => orNone(preemptionPolicy)),
];

export const runtimeClassColumns: readonly Column<RuntimeClass>[] = [
  text('Handler', 'Handler of the container runtime.', ({ handler }) => handler),
  age,
];

export const flowSchemaColumns: readonly Column<FlowSchema>[] = [
  text('PriorityLevel', 'Level its requests go to.', ({ spec }) => spec?.priorityLevelConfiguration.name ?? ''),
  count('MatchingPrecedence', 'Lower is tried first.', ({ spec }) => spec?.matchingPrecedence ?? 0),
  text('DistinguisherMethod', 'What tells flows apart.', ({ spec }) => orNone(spec?.distinguisherMethod?.type)),
  age,
  text('MissingPL', 'Whether its level does not exist.', ({ status }) => {
    const dangling = (status?.conditions ?? []).find(({ type }) => type === 'Dangling');
    return dangling?.status ?? '?';
  }),
];

export const priorityLevelColumns: readonly Column<PriorityLevelConfiguration>[] = [
  text('Type', 'Exempt or Limited.', ({ spec }) => spec?.type ?? ''),
  text('NominalConcurrencyShares', 'Share of the seats.', ({ spec }) => {
    const shares = spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares;
    return shares === undefined ? '<none>' : `${shares}`;
  }),
  text('Queues', 'Queues for waiting requests.', ({ spec }) => shown(spec?.limited?.limitResponse?.queuing?.queues)),
  text('HandSize', 'Queues a flow may use.', ({ spec }) => shown(spec?.limited?.limitResponse?.queuing?.handSize)),
  text('QueueLengthLimit', 'Requests that may wait in one queue.', ({ spec }) =>
    shown(spec?.limited?.limitResponse?.queuing?.queueLengthLimit),
  ),
  age,
];

function shown(value: number | undefined): string {
  return value === undefined ? '<none>' : `${value}`;
}
