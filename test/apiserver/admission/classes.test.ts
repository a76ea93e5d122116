// Classes of storage, ingress and runtime: defaults, what they add, what they refuse.

import t from 'tap';
import { type KindSpec, type KubeObject, kinds } from '../../../src/api/index.ts';
import { defaultIngressClass } from '../../../src/apiserver/admission/ingress-class.ts';
import { runtimeClass } from '../../../src/apiserver/admission/runtime-class.ts';
import {
  claimResize,
  defaultStorageClass,
  storageObjectInUseProtection,
} from '../../../src/apiserver/admission/storage.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../../../src/apiserver/contracts.ts';
import { createFakeObjects } from '../fake-objects.ts';

const objects = createFakeObjects();

async function admit(
  plugin: AdmissionPlugin,
  kind: KindSpec,
  object: object,
  oldObject?: object,
): Promise<Record<string, unknown>> {
  const request: AdmissionRequest = {
    user: { name: 'u', groups: [] },
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    kind,
    subresource: '',
    namespace: kind.namespaced ? 'ns' : undefined,
    name: 'x',
    dryRun: false,
    object: { metadata: { name: 'x' }, ...object } as KubeObject,
    oldObject: oldObject as KubeObject | undefined,
  };
  const mutated = plugin.mutate === undefined ? request.object : await plugin.mutate(request);
  await plugin.validate?.({ ...request, object: mutated });
  return mutated as Record<string, unknown>;
}

t.test('a claim without a class gets the newest default', async (t) => {
  const plugin = defaultStorageClass(objects.reader);
  t.strictSame((await admit(plugin, kinds.persistentVolumeClaim, { spec: {} }))['spec'], {}, 'there is none');
  const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  for (const [name, annotations, creationTimestamp] of [
    ['plain', {}, '2024-01-03T00:00:00Z'],
    ['old', isDefault, '2024-01-01T00:00:00Z'],
    ['new', isDefault, '2024-01-02T00:00:00Z'],
  ] as const) {
    objects.put(kinds.storageClass, { metadata: { name, annotations, creationTimestamp } });
  }
  const specOf = async (spec: object, annotations = {}) =>
    (await admit(plugin, kinds.persistentVolumeClaim, { metadata: { name: 'x', annotations }, spec }))['spec'];
  t.strictSame(await specOf({}), { storageClassName: 'new' });
  t.strictSame(await specOf({ storageClassName: '' }), { storageClassName: '' }, 'none on purpose');
  t.strictSame(await specOf({}, { 'volume.beta.kubernetes.io/storage-class': 'plain' }), {});
});

t.test('claims and volumes are held while in use', async (t) => {
  const finalizersOf = async (kind: KindSpec, object: object = {}) =>
    ((await admit(storageObjectInUseProtection, kind, object))['metadata'] as { finalizers?: string[] }).finalizers;
  t.strictSame(await finalizersOf(kinds.persistentVolumeClaim), ['kubernetes.io/pvc-protection']);
  t.strictSame(await finalizersOf(kinds.persistentVolume), ['kubernetes.io/pv-protection']);
  const has = { metadata: { finalizers: ['kubernetes.io/pvc-protection'] } };
  t.strictSame(await finalizersOf(kinds.persistentVolumeClaim, has), ['kubernetes.io/pvc-protection']);
  t.equal(await finalizersOf(kinds.pod), undefined);
});

t.test('a claim grows only where its class allows it', async (t) => {
  objects.put(kinds.storageClass, { metadata: { name: 'elastic' }, allowVolumeExpansion: true } as KubeObject);
  const plugin = claimResize(objects.reader);
  const claim = (storage: string, storageClassName: string, phase = 'Bound') => ({
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  });
  await t.resolves(admit(plugin, kinds.persistentVolumeClaim, claim('2Gi', 'elastic'), claim('1Gi', 'elastic')));
  await t.resolves(admit(plugin, kinds.persistentVolumeClaim, claim('1Gi', 'plain'), claim('1024Mi', 'plain')));
  await t.rejects(admit(plugin, kinds.persistentVolumeClaim, claim('2Gi', 'plain'), claim('1Gi', 'plain')), {
    code: 403,
    message: /^persistentvolumeclaims "x" is forbidden: only dynamically provisioned pvc can be resized/,
  });
  const pending = claim('1Gi', 'elastic', 'Pending');
  await t.rejects(admit(plugin, kinds.persistentVolumeClaim, claim('2Gi', 'elastic'), pending), {
    message: /Only bound persistent volume claims can be expanded/,
  });
});

t.test('an Ingress without a class gets the default one', async (t) => {
  const plugin = defaultIngressClass(objects.reader);
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  objects.put(kinds.ingressClass, { metadata: { name: 'nginx', annotations } });
  t.strictSame((await admit(plugin, kinds.ingress, { spec: {} }))['spec'], { ingressClassName: 'nginx' });
  const own = { ingressClassName: 'own' };
  t.strictSame((await admit(plugin, kinds.ingress, { spec: own }))['spec'], own);
  const annotated = { metadata: { name: 'x', annotations: { 'kubernetes.io/ingress.class': 'old' } }, spec: {} };
  t.strictSame((await admit(plugin, kinds.ingress, annotated))['spec'], {});
});

t.test('a RuntimeClass adds its overhead, selector and tolerations', async (t) => {
  const plugin = runtimeClass(objects.reader);
  const tolerations = [{ key: 'vm', operator: 'Exists' }];
  objects.put(kinds.runtimeClass, {
    metadata: { name: 'vm' },
    handler: 'kata',
    overhead: { podFixed: { cpu: '250m' } },
    scheduling: { nodeSelector: { vm: 'yes' }, tolerations },
  } as KubeObject);
  const pod = (spec: object) => ({ spec: { containers: [], runtimeClassName: 'vm', ...spec } });
  const { spec } = await admit(plugin, kinds.pod, pod({ nodeSelector: { a: 'b' }, tolerations }));
  t.match(spec, { overhead: { cpu: '250m' }, nodeSelector: { a: 'b', vm: 'yes' } });
  t.strictSame((spec as { tolerations: unknown }).tolerations, tolerations, 'not twice');
  await t.resolves(admit(plugin, kinds.pod, pod({ overhead: { cpu: '0.25' } })), 'the same amount');
  for (const [object, want] of [
    [pod({ runtimeClassName: 'none' }), /pod rejected: RuntimeClass "none" not found/],
    [pod({ overhead: { cpu: '1' } }), /Pod's Overhead doesn't match RuntimeClass's defined Overhead/],
    [pod({ nodeSelector: { vm: 'no' } }), /conflict: runtimeClass.scheduling.nodeSelector\[vm\] = yes; pod.spec/],
    [
      pod({ runtimeClassName: undefined, overhead: { cpu: '1' } }),
      /Pod Overhead set without corresponding RuntimeClass defined Overhead/,
    ],
  ] as const) {
    await t.rejects(admit(plugin, kinds.pod, object), { code: 403, message: want });
  }
});
