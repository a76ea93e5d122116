// Definitions for tests: CronTabs, as in the Kubernetes documentation.

import type { Json, TestServer } from '../harness.ts';

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const cronTabs = '/apis/stable.example.com/v1/namespaces/default/crontabs';

export const cronTabSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['cronSpec'],
      properties: {
        cronSpec: { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$' },
        image: { type: 'string' },
        replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, labelSelector: { type: 'string' } } },
  },
};

export function version(name: string, more: object = {}, schema: object = cronTabSchema): Json {
  return { name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: schema }, ...more };
}

export function cronTabDefinition(versions: readonly Json[] = [version('v1')], spec: object = {}): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
      versions,
      ...spec,
    },
  };
}

export function cronTab(name: string, spec: object = {}, more: object = {}): Json {
  return {
    apiVersion: 'stable.example.com/v1',
    kind: 'CronTab',
    metadata: { name },
    spec: { cronSpec: '* * * * */5', ...spec },
    ...more,
  };
}

/** Creates a definition and waits until it is established. */
export async function establish(server: TestServer, definition: Json): Promise<void> {
  const { name } = definition['metadata'] as { name: string };
  const watch = await server.watch(`${definitionsPath}?watch=true&fieldSelector=metadata.name%3D${name}`);
  const answer = await server.call('POST', definitionsPath, definition);
  if (answer.status !== 201) throw new Error(answer.text);
  for (;;) {
    const { object } = await watch.next();
    const { conditions = [] } = (object['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) break;
  }
  watch.close();
}
