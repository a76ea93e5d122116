// Valid objects of Pods and PodTemplates, with as many fields as go together.

import type { Sample } from './sample.ts';

export const podsSamples: readonly Sample[] = [
  {
    path: '/api/v1/namespaces/default/pods',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'p1',
        labels: { app: 'a' },
        annotations: { x: 'y' },
        finalizers: ['example.com/f'],
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: 'o',
            uid: '11111111-1111-1111-1111-111111111111',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        activeDeadlineSeconds: 100,
        dnsPolicy: 'ClusterFirst',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        serviceAccountName: 'default',
        automountServiceAccountToken: false,
        hostNetwork: false,
        hostPID: false,
        shareProcessNamespace: false,
        hostname: 'h',
        subdomain: 's',
        schedulerName: 'sched',
        enableServiceLinks: true,
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 1000,
          fsGroup: 2000,
          runAsNonRoot: true,
          supplementalGroups: [1, 2],
          sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '1 2' }],
          seccompProfile: { type: 'RuntimeDefault' },
          seLinuxOptions: { level: 's0' },
          fsGroupChangePolicy: 'Always',
        },
        imagePullSecrets: [{ name: 'reg' }],
        dnsConfig: { nameservers: ['1.2.3.4'], searches: ['a.b'], options: [{ name: 'ndots', value: '2' }] },
        hostAliases: [{ ip: '1.2.3.4', hostnames: ['foo.bar'] }],
        readinessGates: [{ conditionType: 'example.com/ready' }],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'a' } },
          },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }],
                  matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }],
                },
              ],
            },
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [{ key: 'k', operator: 'Gt', values: ['1'] }] } },
            ],
          },
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              {
                labelSelector: { matchExpressions: [{ key: 'k', operator: 'Exists' }] },
                topologyKey: 'zone',
                namespaces: ['n'],
              },
            ],
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 100, podAffinityTerm: { topologyKey: 'h', labelSelector: { matchLabels: { a: 'b' } } } },
            ],
          },
        },
        tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 3 }],
        initContainers: [{ name: 'i', image: 'img', command: ['a'] }],
        containers: [
          {
            name: 'c',
            image: 'img:1',
            imagePullPolicy: 'IfNotPresent',
            command: ['x'],
            args: ['y'],
            workingDir: '/w',
            ports: [{ name: 'http', containerPort: 80, hostPort: 8080, protocol: 'TCP', hostIP: '1.2.3.4' }],
            env: [
              { name: 'A', value: 'b' },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
              { name: 'D', valueFrom: { configMapKeyRef: { name: 's', key: 'k', optional: true } } },
              {
                name: 'E',
                valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'c', divisor: '1' } },
              },
            ],
            envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { secretRef: { name: 's' } }],
            resources: { requests: { cpu: '10m', memory: '10Mi' }, limits: { cpu: '20m', memory: '20Mi' } },
            volumeMounts: [
              { name: 'v1', mountPath: '/a', subPath: 'x', readOnly: true },
              { name: 'v2', mountPath: '/b', mountPropagation: 'None' },
              { name: 'v3', mountPath: '/c' },
              { name: 'v4', mountPath: '/d' },
              { name: 'v5', mountPath: '/e' },
            ],
            livenessProbe: {
              httpGet: { path: '/', port: 80, scheme: 'HTTP', host: 'h', httpHeaders: [{ name: 'X-A', value: 'b' }] },
              initialDelaySeconds: 1,
              timeoutSeconds: 1,
              periodSeconds: 1,
              successThreshold: 1,
              failureThreshold: 3,
            },
            readinessProbe: { tcpSocket: { port: 'http' } },
            startupProbe: { exec: { command: ['a'] } },
            lifecycle: { postStart: { exec: { command: ['a'] } }, preStop: { httpGet: { port: 80, path: '/' } } },
            terminationMessagePath: '/dev/log',
            terminationMessagePolicy: 'File',
            securityContext: {
              capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
              privileged: false,
              runAsUser: 5,
              readOnlyRootFilesystem: true,
              allowPrivilegeEscalation: true,
              procMount: 'Default',
            },
            stdin: true,
            stdinOnce: true,
            tty: true,
          },
        ],
        volumes: [
          { name: 'v1', emptyDir: { sizeLimit: '1Gi', medium: 'Memory' } },
          { name: 'v2', hostPath: { path: '/x', type: 'Directory' } },
          {
            name: 'v3',
            configMap: { name: 'c', defaultMode: 420, optional: true, items: [{ key: 'k', path: 'p', mode: 256 }] },
          },
          { name: 'v4', secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } },
          {
            name: 'v5',
            projected: {
              sources: [
                { serviceAccountToken: { path: 't', expirationSeconds: 3600, audience: 'a' } },
                { configMap: { name: 'x' } },
                { secret: { name: 'y' } },
                { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
              ],
            },
          },
          { name: 'v6', persistentVolumeClaim: { claimName: 'pvc', readOnly: true } },
          { name: 'v7', nfs: { server: 's', path: '/p' } },
          { name: 'v8', csi: { driver: 'd.example.com', volumeAttributes: { a: 'b' } } },
          {
            name: 'v9',
            downwardAPI: { items: [{ path: 'l', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu' } }] },
          },
          {
            name: 'v10',
            iscsi: { targetPortal: '1.2.3.4:3260', iqn: 'iqn.2001-04.com.example:storage.kube.sys1.xyz', lun: 0 },
          },
        ],
      },
    },
  },
  {
    path: '/api/v1/namespaces/default/podtemplates',
    object: {
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: { name: 'pt' },
      template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'img:1' }] } },
    },
  },
];
