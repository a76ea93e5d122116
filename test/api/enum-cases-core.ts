// Cases of the core group and of label selectors.

import { kinds } from '../../src/api/index.ts';
import { type Case, type Cases, type Content, inSpec, podSpec, selectorOperator } from './enum-case.ts';

const selector = { matchLabels: { a: 'b' } };
const port = { name: 'p', port: 80 };
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/p' } };

function pod(at: string, content: (value: string) => Content, invalid?: string): Case {
  return inSpec(kinds.pod, at, (value) => podSpec(content(value)), invalid);
}

function container(at: string, content: (value: string) => Content): Case {
  return pod(`containers[0].${at}`, (value) => ({ containers: [{ name: 'a', image: 'i', ...content(value) }] }));
}

const service = (at: string, content: (value: string) => Content): Case =>
  inSpec(kinds.service, at, (value) => ({ ports: [port], externalName: 'a.b', ...content(value) }));
const quota = (at: string, content: (value: string) => Content, invalid: string): Case =>
  inSpec(kinds.resourceQuota, at, content, invalid);
const debug = (at: string, content: (value: string) => Content): Case =>
  pod(`ephemeralContainers[0].${at}`, (value) => ({
    ephemeralContainers: [{ name: 'd', image: 'i', ...content(value) }],
  }));
const spread = (field: string): Case =>
  pod(`topologySpreadConstraints[0].${field}`, (value) => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'k', whenUnsatisfiable: 'DoNotSchedule', labelSelector: selector, [field]: value },
    ],
  }));

export const coreCases: Cases = {
  'core.v1.PodSpec.restartPolicy': pod('restartPolicy', (restartPolicy) => ({ restartPolicy })),
  'core.v1.PodSpec.dnsPolicy': pod('dnsPolicy', (dnsPolicy) => ({ dnsPolicy })),
  'core.v1.PodSpec.preemptionPolicy': pod('preemptionPolicy', (preemptionPolicy) => ({ preemptionPolicy })),
  'core.v1.PodOS.name': pod('os', (name) => ({ os: { name } })),
  'core.v1.PodSecurityContext.fsGroupChangePolicy': pod('securityContext.fsGroupChangePolicy', (value) => ({
    securityContext: { fsGroupChangePolicy: value },
  })),
  'core.v1.PodSecurityContext.supplementalGroupsPolicy': pod('securityContext.supplementalGroupsPolicy', (value) => ({
    securityContext: { supplementalGroupsPolicy: value },
  })),
  'core.v1.PodSecurityContext.seLinuxChangePolicy': pod('securityContext.seLinuxChangePolicy', (value) => ({
    securityContext: { seLinuxChangePolicy: value },
  })),
  'core.v1.SeccompProfile.type': pod('securityContext.seccompProfile.type', (type) => ({
    securityContext: { seccompProfile: { type } },
  })),
  'core.v1.AppArmorProfile.type': container('securityContext.appArmorProfile.type', (type) => ({
    securityContext: { appArmorProfile: { type } },
  })),
  'core.v1.SecurityContext.procMount': pod('containers[0].securityContext.procMount', (procMount) => ({
    hostUsers: false,
    containers: [{ name: 'a', image: 'i', securityContext: { procMount } }],
  })),
  'core.v1.Container.imagePullPolicy': container('imagePullPolicy', (imagePullPolicy) => ({ imagePullPolicy })),
  'core.v1.Container.restartPolicy': container('restartPolicy', (restartPolicy) => ({ restartPolicy })),
  'core.v1.Container.terminationMessagePolicy': container('terminationMessagePolicy', (value) => ({
    terminationMessagePolicy: value,
  })),
  'core.v1.EphemeralContainer.imagePullPolicy': debug('imagePullPolicy', (imagePullPolicy) => ({ imagePullPolicy })),
  'core.v1.EphemeralContainer.terminationMessagePolicy': debug('terminationMessagePolicy', (value) => ({
    terminationMessagePolicy: value,
  })),
  'core.v1.ContainerPort.protocol': container('ports[0].protocol', (protocol) => ({
    ports: [{ containerPort: 80, protocol }],
  })),
  'core.v1.ContainerResizePolicy.resourceName': container('resizePolicy', (resourceName) => ({
    resizePolicy: [{ resourceName, restartPolicy: 'NotRequired' }],
  })),
  'core.v1.ContainerResizePolicy.restartPolicy': container('resizePolicy', (restartPolicy) => ({
    resizePolicy: [{ resourceName: 'cpu', restartPolicy }],
  })),
  'core.v1.HTTPGetAction.scheme': container('livenessProbe.httpGet.scheme', (scheme) => ({
    livenessProbe: { httpGet: { path: '/', port: 80, scheme } },
  })),
  'core.v1.VolumeMount.mountPropagation': pod('containers[0].volumeMounts.mountPropagation', (value) => ({
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [
      {
        name: 'a',
        image: 'i',
        securityContext: { privileged: true },
        volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: value }],
      },
    ],
  })),
  'core.v1.HostPathVolumeSource.type': pod('volumes[0].hostPath.type', (type) => ({
    volumes: [{ name: 'v', hostPath: { path: '/p', type } }],
  })),
  'core.v1.ImageVolumeSource.pullPolicy': pod('volumes[0].image.pullPolicy', (pullPolicy) => ({
    volumes: [{ name: 'v', image: { reference: 'i', pullPolicy } }],
  })),
  'core.v1.AzureDiskVolumeSource.cachingMode': pod('volumes[0].azureDisk.cachingMode', (cachingMode) => ({
    volumes: [{ name: 'v', azureDisk: { diskName: 'd', diskURI: 'https://d', cachingMode } }],
  })),
  'core.v1.AzureDiskVolumeSource.kind': pod('volumes[0].azureDisk.kind', (kind) => ({
    volumes: [{ name: 'v', azureDisk: { diskName: 'd', diskURI: 'https://d', kind } }],
  })),
  'core.v1.Toleration.operator': pod('tolerations[0].operator', (operator) => ({
    tolerations: [{ key: 'k', operator }],
  })),
  'core.v1.Toleration.effect': pod('tolerations[0].effect', (effect) => ({
    tolerations: [{ key: 'k', operator: 'Exists', effect }],
  })),
  'core.v1.Taint.effect': {
    ...inSpec(kinds.node, 'taints[0].effect', (effect) => ({ taints: [{ key: 'k', effect }] })),
    at: 'metadata.taints[0].effect',
  },
  'core.v1.NodeSelectorRequirement.operator': pod(
    'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator',
    (operator) => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator }] }],
          },
        },
      },
    }),
    selectorOperator,
  ),
  'core.v1.TopologySpreadConstraint.whenUnsatisfiable': spread('whenUnsatisfiable'),
  'core.v1.TopologySpreadConstraint.nodeAffinityPolicy': spread('nodeAffinityPolicy'),
  'core.v1.TopologySpreadConstraint.nodeTaintsPolicy': spread('nodeTaintsPolicy'),
  'core.v1.ServiceSpec.type': service('type', (type) => ({ type })),
  'core.v1.ServiceSpec.sessionAffinity': service('sessionAffinity', (sessionAffinity) => ({ sessionAffinity })),
  'core.v1.ServiceSpec.externalTrafficPolicy': service('externalTrafficPolicy', (value) => ({
    type: 'NodePort',
    externalTrafficPolicy: value,
  })),
  'core.v1.ServiceSpec.internalTrafficPolicy': service('internalTrafficPolicy', (value) => ({
    internalTrafficPolicy: value,
  })),
  'core.v1.ServiceSpec.ipFamilies': service('ipFamilies[0]', (family) => ({ ipFamilies: [family] })),
  'core.v1.ServiceSpec.ipFamilyPolicy': service('ipFamilyPolicy', (ipFamilyPolicy) => ({ ipFamilyPolicy })),
  'core.v1.ServicePort.protocol': service('ports[0].protocol', (protocol) => ({ ports: [{ ...port, protocol }] })),
  'core.v1.EndpointPort.protocol': {
    kind: kinds.endpoints,
    with: (protocol) => ({ subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ ...port, protocol }] }] }),
    at: 'subsets[0].ports[0].protocol',
  },
  'core.v1.PersistentVolumeSpec.accessModes': inSpec(kinds.persistentVolume, 'accessModes', (mode) => ({
    ...volume,
    accessModes: [mode],
  })),
  'core.v1.PersistentVolumeSpec.volumeMode': inSpec(kinds.persistentVolume, 'volumeMode', (volumeMode) => ({
    ...volume,
    volumeMode,
  })),
  'core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy': inSpec(
    kinds.persistentVolume,
    'persistentVolumeReclaimPolicy',
    (value) => ({ ...volume, persistentVolumeReclaimPolicy: value }),
  ),
  'core.v1.PersistentVolumeClaimSpec.accessModes': inSpec(kinds.persistentVolumeClaim, 'accessModes', (mode) => ({
    ...claim,
    accessModes: [mode],
  })),
  'core.v1.PersistentVolumeClaimSpec.volumeMode': inSpec(kinds.persistentVolumeClaim, 'volumeMode', (volumeMode) => ({
    ...claim,
    volumeMode,
  })),
  'core.v1.ResourceQuotaSpec.scopes': quota('scopes', (scope) => ({ scopes: [scope] }), 'unsupported scope'),
  'core.v1.ScopedResourceSelectorRequirement.scopeName': quota(
    'scopeSelector.matchExpressions.scopeName',
    (scopeName) => ({ scopeSelector: { matchExpressions: [{ scopeName, operator: 'Exists' }] } }),
    'unsupported scope',
  ),
  'core.v1.ScopedResourceSelectorRequirement.operator': quota(
    'scopeSelector.matchExpressions.operator',
    (operator) => ({ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator }] } }),
    selectorOperator,
  ),
  'meta.v1.LabelSelectorRequirement.operator': inSpec(
    kinds.networkPolicy,
    'podSelector.matchExpressions[0].operator',
    (operator) => ({ podSelector: { matchExpressions: [{ key: 'k', operator }] } }),
    selectorOperator,
  ),
};
