// Validation of PersistentVolumes and their claims: one mistake, upstream's sentences.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';
import { dnsLabel, dnsSubdomain } from './sentences.ts';
import { type Content, spec, wrong, wrongChange } from './validated.ts';

ensureSchemas();

const volume = (source: Content, content: Content = {}): Content =>
  spec({ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...source, ...content });
const nfs = { nfs: { server: 's', path: '/p' } };
const csi = (content: Content): Content => volume({ csi: { driver: 'd', volumeHandle: 'h', ...content } });
const claim = (content: Content): Content =>
  spec({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...content });
const affinity = (key: string): Content => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] } },
});
const bound = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } };
const sized = (storage: string): Content => ({ ...claim({ resources: { requests: { storage } } }), ...bound });
const beta = 'failure-domain.beta.kubernetes.io/zone';

const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [
    kinds.persistentVolume,
    {},
    'spec.accessModes: Required value',
    'spec.capacity: Required value',
    'spec.capacity: Unsupported value: {}: supported values: "storage"',
    'spec: Required value: must specify a volume type',
  ],
  [
    kinds.persistentVolume,
    volume(nfs, { volumeMode: '', volumeAttributesClassName: '' }),
    'spec.volumeMode: Unsupported value: "": supported values: "Block", "Filesystem"',
    'spec.volumeAttributesClassName: Required value: an empty string is disallowed',
    'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
  ],
  [
    kinds.persistentVolume,
    volume({ hostPath: { path: '/a/..', type: 'x' } }, { persistentVolumeReclaimPolicy: 'Recycle' }),
    'spec.hostPath.path: Invalid value: "/a/..": must not contain \'..\'',
    'spec.hostPath.type: Unsupported value: "x": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
  ],
  [
    kinds.persistentVolume,
    csi({ driver: '', nodePublishSecretRef: {}, controllerExpandSecretRef: { name: 'A', namespace: 'B' } }),
    'spec.csi.driver: Required value',
    `spec.csi.driver: Invalid value: "": ${dnsSubdomain}`,
    `spec.csi.controllerExpandSecretRef.name: Invalid value: "A": ${dnsSubdomain}`,
    `spec.csi.controllerExpandSecretRef.namespace: Invalid value: "B": ${dnsLabel}`,
    'spec.csi.nodePublishSecretRef.name: Required value',
    'spec.csi.nodePublishSecretRef.namespace: Required value',
  ],
  [kinds.persistentVolume, csi({ driver: 'd'.repeat(64) }), 'spec.csi.driver: Too long: may not be more than 63 bytes'],
  [
    kinds.persistentVolume,
    volume({ iscsi: { targetPortal: 'p', iqn: 'iqn.x', lun: 256, chapAuthSession: true } }),
    'spec.iscsi.iqn: Invalid value: "iqn.x": must be valid format',
    'spec.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
    'spec.iscsi.secretRef: Required value',
  ],
  [
    kinds.persistentVolume,
    volume({ fc: { targetWWNs: ['a'], wwids: ['b'] } }),
    'spec.fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
    'spec.fc.lun: Required value: lun is required if targetWWNs is specified',
  ],
  [
    kinds.persistentVolume,
    volume({ azureDisk: { diskName: 'd', diskURI: 'u', kind: 'Managed', cachingMode: '' } }),
    'spec.azureDisk.cachingMode: Unsupported value: "": supported values: "None", "ReadOnly", "ReadWrite"',
    'spec.azureDisk.diskURI: Unsupported value: "u": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"',
  ],
  [
    kinds.persistentVolume,
    volume({ rbd: { image: '' } }),
    'spec.rbd.image: Required value',
    'spec.rbd.monitors: Required value',
  ],
  [
    kinds.persistentVolume,
    volume({ flexVolume: { driver: 'd', options: { 'a.k8s.io/x': '1' } } }),
    'spec.flexVolume.options[a.k8s.io/x]: Invalid value: "a.k8s.io/x": kubernetes.io and k8s.io namespaces are reserved',
  ],
  [
    kinds.persistentVolume,
    volume(nfs, { accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] }),
    'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
  ],

  [
    kinds.persistentVolumeClaim,
    claim({ volumeMode: '', dataSource: { kind: 'K', name: 'n' } }),
    'spec.volumeMode: Unsupported value: "": supported values: "Block", "Filesystem"',
    'spec.dataSource: Invalid value: "K": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
  ],
  [
    kinds.persistentVolumeClaim,
    claim({
      dataSource: { kind: 'PersistentVolumeClaim', name: 'n' },
      dataSourceRef: { apiGroup: '-', kind: '', name: '' },
    }),
    'spec.dataSourceRef.name: Required value',
    'spec.dataSourceRef.kind: Required value',
    `spec.dataSourceRef.apiGroup: Invalid value: "-": ${dnsSubdomain}`,
    'spec: Invalid value: "spec.dataSource": must match dataSourceRef',
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrong(kind, given), want);
  });
}

const changes: readonly (readonly [
  kind: KindSpec,
  before: Content,
  after: Content,
  subresource: string,
  ...want: string[],
])[] = [
  [kinds.persistentVolume, csi({}), csi({ controllerExpandSecretRef: { name: 'a', namespace: 'b' } }), ''],
  [kinds.persistentVolume, volume(nfs, affinity(beta)), volume(nfs, affinity('topology.kubernetes.io/zone')), ''],
  [
    kinds.persistentVolume,
    volume(nfs, affinity('a')),
    volume({ nfs: { server: 't', path: '/p' } }, { volumeMode: 'Block' }),
    '',
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
    'volumeMode: Invalid value: "Block": field is immutable',
    'nodeAffinity: Invalid value: null: field is immutable, except for updating from beta label to GA',
  ],
  [
    kinds.persistentVolume,
    volume(nfs, affinity('a')),
    volume(nfs, {
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'b', operator: 'Exists' }] }] } },
    }),
    '',
    'nodeAffinity: Invalid value: {"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"b","operator":"Exists"}]}]}}: field is immutable, except for updating from beta label to GA',
  ],
  [kinds.persistentVolumeClaim, sized('1Gi'), sized('2Gi'), ''],
  [
    kinds.persistentVolumeClaim,
    sized('2Gi'),
    sized('1Gi'),
    '',
    'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ],
  [
    kinds.persistentVolumeClaim,
    claim({ volumeAttributesClassName: 'a' }),
    {
      ...claim({ volumeMode: 'Block' }),
      metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' } },
    },
    '',
    'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "x": field is immutable',
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    'volumeMode: Invalid value: "Block": field is immutable',
    'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden',
  ],
  [
    kinds.persistentVolumeClaim,
    claim({}),
    {
      ...claim({}),
      status: {
        capacity: { storage: '-1' },
        allocatedResources: { cpu: '1' },
        allocatedResourceStatuses: { storage: 'x' },
      },
    },
    'status',
    'status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
    'status.allocatedResourceStatus: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
  ],
];

for (const [kind, before, after, subresource, ...want] of changes) {
  t.test(`${kind.kind} changed: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrongChange(kind, before, after, subresource), want);
  });
}
