// Keeps flow control on what is stored, and tells in the status of each FlowSchema whether its level exists (`Dangling`). A
// change is taken once a turn: a start brings twenty of them.
// Source: k8s.io/apiserver pkg/util/flowcontrol/apf_controller.go, presyncFlowSchemaStatus.

import { type FlowSchema, kinds, type PriorityLevelConfiguration } from '../../api/index.ts';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import type { ObjectReader, ObjectWriter } from '../contracts.ts';
import { timestampOf } from '../registry/deletion.ts';
import type { FlowControl } from './flow-control.ts';

type Condition = NonNullable<NonNullable<FlowSchema['status']>['conditions']>[number];

export interface FlowObjectsOptions {
  readonly reader: ObjectReader;
  readonly objects: Pick<ObjectWriter, 'updateStatus'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** From here on; the objects of every cluster are stored already. Answers how to stop it. */
export function followFlowObjects(
  flows: Pick<FlowControl, 'configure'>,
  { reader, objects, clock, logger }: FlowObjectsOptions,
): () => void {
  let waits = false;
  let stopped = false;
  const hasLevel = (name: string): boolean =>
    reader.get(kinds.priorityLevelConfiguration, undefined, name) !== undefined;

  async function tell({ metadata }: FlowSchema): Promise<void> {
    const name = metadata?.name ?? '';
    try {
      await objects.updateStatus<FlowSchema>(kinds.flowSchema, undefined, name, (now) => {
        const condition = changedCondition(now, hasLevel);
        return condition && withCondition(now, { ...condition, lastTransitionTime: timestampOf(clock.now()) });
      });
    } catch (error) {
      if (!stopped) logger.warn('the status of a FlowSchema was not written', { name, error: messageOf(error) });
    }
  }

  const configure = (): void => {
    waits = false;
    if (stopped) return;
    const schemas = reader.list<FlowSchema>(kinds.flowSchema);
    const levels = reader.list<PriorityLevelConfiguration>(kinds.priorityLevelConfiguration);
    flows.configure({ schemas, levels });
    for (const schema of schemas) if (changedCondition(schema, hasLevel) !== undefined) void tell(schema);
  };
  const changed = (): void => {
    if (waits) return;
    waits = true;
    setImmediate(configure);
  };
  reader.onChange(kinds.flowSchema, changed);
  reader.onChange(kinds.priorityLevelConfiguration, changed);
  configure();
  return () => {
    stopped = true;
  };
}

/** What the schema should say of its level; undefined when it does. */
function changedCondition(
  { spec, status }: FlowSchema,
  hasLevel: (name: string) => boolean,
): Omit<Condition, 'lastTransitionTime'> | undefined {
  const level = spec?.priorityLevelConfiguration.name ?? '';
  const names = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  const wanted = hasLevel(level)
    ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${names} and it exists` }
    : { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${names} but there is no such object` };
  const have = status?.conditions?.find(({ type }) => type === wanted.type);
  const isSaid = have?.status === wanted.status && have.reason === wanted.reason && have.message === wanted.message;
  return isSaid ? undefined : wanted;
}

function withCondition(schema: FlowSchema, condition: Condition): FlowSchema {
  const others = (schema.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  return { ...schema, status: { ...schema.status, conditions: [...others, condition] } };
}
