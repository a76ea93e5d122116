// Keeps flow control on what is stored. A change is taken once a turn: a start brings twenty of them.

import { type FlowSchema, kinds, type PriorityLevelConfiguration } from '../../api/index.ts';
import type { ObjectReader } from '../contracts.ts';
import type { FlowControl } from './flow-control.ts';

/** From here on; the objects of every cluster are stored already. */
export function followFlowObjects(flows: Pick<FlowControl, 'configure'>, reader: ObjectReader): void {
  let waits = false;
  const configure = (): void => {
    waits = false;
    const schemas = reader.list<FlowSchema>(kinds.flowSchema);
    const levels = reader.list<PriorityLevelConfiguration>(kinds.priorityLevelConfiguration);
    flows.configure({ schemas, levels });
  };
  const changed = (): void => {
    if (waits) return;
    waits = true;
    setImmediate(configure);
  };
  reader.onChange(kinds.flowSchema, changed);
  reader.onChange(kinds.priorityLevelConfiguration, changed);
  configure();
}
