// The garbage collector and the namespace controller look at custom resources as at any other object.

import t from 'tap';
import {
  type ConfigMap,
  type CustomResourceDefinition,
  type KindSpec,
  type KubeObject,
  kinds,
  type Stored,
} from '../../src/api/index.ts';
import type { HttpApiClient } from '../../src/client/index.ts';
import { eventually } from './cluster.ts';
import { namespace, startStory } from './real-cluster.ts';

const widget: KindSpec = {
  group: 'things.example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  namespaced: true,
};

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.things.example.com' },
  spec: {
    group: widget.group,
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
} as unknown as CustomResourceDefinition;

async function define(client: HttpApiClient): Promise<void> {
  await client.create(kinds.customResourceDefinition, definition);
  await eventually(async () => {
    const { status } = await client.get(kinds.customResourceDefinition, { name: 'widgets.things.example.com' });
    return status?.conditions?.find(({ type, status: is }) => type === 'Established' && is === 'True');
  }, 'the definition to be established');
}

function create(client: HttpApiClient, name: string, more: KubeObject['metadata'] = {}): Promise<Stored<KubeObject>> {
  const metadata = { name, namespace, ...more };
  return client.create<KubeObject>(widget, { apiVersion: 'things.example.com/v1', kind: 'Widget', metadata });
}

function ownedBy({
  metadata,
}: Stored<KubeObject>): NonNullable<NonNullable<KubeObject['metadata']>['ownerReferences']> {
  return [{ apiVersion: 'things.example.com/v1', kind: 'Widget', name: metadata.name, uid: metadata.uid }];
}

function configMap(name: string, owner: Stored<KubeObject>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ownerReferences: ownedBy(owner) } };
}

async function gone(client: HttpApiClient, kind: KindSpec, name: string): Promise<void> {
  await eventually(async () => {
    const { items } = await client.list<KubeObject>(kind, { namespace });
    return items.every(({ metadata }) => metadata.name !== name) ? true : undefined;
  }, `${kind.kind} ${name} to go`);
}

t.test('what a custom resource owns goes with it', async (t) => {
  const client = await startStory(t);
  await define(client);
  const parent = await create(client, 'parent');
  await client.create(kinds.configMap, configMap('owned', parent));
  await create(client, 'child', { ownerReferences: ownedBy(parent) });
  await create(client, 'other');
  await client.delete<KubeObject>(widget, { namespace, name: 'parent' });
  await gone(client, kinds.configMap, 'owned');
  await gone(client, widget, 'child');
  t.equal((await client.get<KubeObject>(widget, { namespace, name: 'other' })).metadata.name, 'other');
});

t.test('what custom resources own goes with their definition', async (t) => {
  const client = await startStory(t);
  await define(client);
  // When this is collected, the collector knows the kind.
  const first = await create(client, 'first');
  await client.create(kinds.configMap, configMap('first', first));
  await client.delete<KubeObject>(widget, { namespace, name: 'first' });
  await gone(client, kinds.configMap, 'first');
  await client.create(kinds.configMap, configMap('owned', await create(client, 'parent')));
  await client.delete(kinds.customResourceDefinition, { name: 'widgets.things.example.com' });
  await gone(client, kinds.configMap, 'owned');
});

t.test('a custom owner that is deleted in the foreground waits for its dependents', async (t) => {
  const client = await startStory(t);
  await define(client);
  const parent = await create(client, 'parent');
  const blocking = ownedBy(parent).map((owner) => ({ ...owner, blockOwnerDeletion: true }));
  const held = { finalizers: ['example.com/held'], ownerReferences: blocking };
  await create(client, 'child', held);
  await client.delete<KubeObject>(widget, { namespace, name: 'parent' }, { propagationPolicy: 'Foreground' });
  await eventually(async () => {
    const { metadata } = await client.get<KubeObject>(widget, { namespace, name: 'child' });
    return metadata.deletionTimestamp;
  }, 'the dependent to be deleted');
  t.ok((await client.get<KubeObject>(widget, { namespace, name: 'parent' })).metadata.deletionTimestamp);
  await client.patch<KubeObject>(widget, { namespace, name: 'child' }, 'merge', { metadata: { finalizers: null } });
  await gone(client, widget, 'parent');
});

t.test('a namespace goes with the custom resources in it', async (t) => {
  const client = await startStory(t);
  await define(client);
  const name = 'crowded';
  await client.create(kinds.namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await create(client, 'inside', { namespace: name });
  await client.delete(kinds.namespace, { name });
  await eventually(async () => {
    const { items } = await client.list(kinds.namespace);
    return items.every(({ metadata }) => metadata.name !== name) ? true : undefined;
  }, 'the namespace to go');
  t.strictSame((await client.list<KubeObject>(widget)).items, []);
});
