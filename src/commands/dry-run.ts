// What init runs against with --dry-run: the machine and the cluster are recorders that read back what was written to them,
// so the phases run as they always do and the transcript is what they would have done.

import type { ApiClient } from '../client/index.ts';
import { createFakeClient } from '../client/index.ts';
import { createRecordingHost, type Host, type Services } from '../host/index.ts';

export interface DryRun {
  readonly host: Host;
  readonly services: Services;
  readonly client: ApiClient;
  /** What would have been done, in order. */
  transcript(): readonly string[];
}

/** @param nodeName the node that the agent would have registered */
export function createDryRun(below: Host, nodeName: string): DryRun {
  const host = createRecordingHost(below);
  const steps: string[] = [];
  let seen = 0;
  const keepOrder = (): void => {
    steps.push(...host.transcript.slice(seen));
    seen = host.transcript.length;
  };
  const note = async (line: string): Promise<void> => {
    keepOrder();
    steps.push(line);
  };
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName }, status: ready };
  const cluster = createFakeClient([node]);
  const services: Services = {
    kind: 'supervisor',
    install: ({ name, command }) => note(`install service ${name}: ${command.join(' ')}`),
    start: (name) => note(`start service ${name}`),
    stop: (name) => note(`stop service ${name}`),
    restart: (name) => note(`restart service ${name}`),
    remove: (name) => note(`remove service ${name}`),
    status: async () => ({ state: 'absent', restarts: 0 }),
    logs: async () => '',
  };
  const client: ApiClient = {
    ...cluster,
    raw: async () => ({ status: 200, body: Buffer.from('{}') }),
    create: async (kind, object, options) => {
      const made = await cluster.create(kind, object, options);
      await note(`create ${kind.kind} ${nameOf(object.metadata)}`);
      return made;
    },
    update: async (kind, object, options) => {
      const made = await cluster.update(kind, object, options);
      await note(`update ${kind.kind} ${nameOf(object.metadata)}`);
      return made;
    },
    patch: async (kind, at, type, body, options) => {
      await note(`patch ${kind.kind} ${nameOf(at)}: ${JSON.stringify(body)}`);
      return cluster.patch(kind, at, type, body, options);
    },
  };
  return {
    host,
    services,
    client,
    transcript() {
      keepOrder();
      return steps;
    },
  };
}

function nameOf(
  at: { readonly namespace?: string | undefined; readonly name?: string | undefined } | undefined,
): string {
  return at?.namespace === undefined ? (at?.name ?? '') : `${at.namespace}/${at.name}`;
}
