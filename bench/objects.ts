// The objects that the workloads write: a ConfigMap of 1 KB, a Lease as a node renews it, a Pod with two containers, probes
// and volumes as a Deployment makes it.

const filler = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_'.repeat(13).slice(0, 820);

export function nameOf(prefix: string, index: number): string {
  return `${prefix}-${String(index).padStart(5, '0')}`;
}

export function configMap(index: number, generation: number, resourceVersion?: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: nameOf('cm', index),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      labels: { app: 'load', shard: String(index % 16) },
    },
    data: { generation: String(generation), payload: filler },
  };
}

export function lease(index: number, resourceVersion?: string): object {
  const holderIdentity = nameOf('node', index);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: holderIdentity, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { holderIdentity, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace('Z', '000Z') },
  };
}

const quantities = (cpu: string, memory: string): object => ({ cpu, memory });

export function pod(index: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: nameOf('web', index),
      labels: { app: 'web', tier: index % 2 === 0 ? 'backend' : 'frontend', shard: String(index % 32) },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
    },
    spec: {
      schedulerName: 'nobody',
      automountServiceAccountToken: false,
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      securityContext: { runAsUser: 1000, fsGroup: 2000 },
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: {
                topologyKey: 'kubernetes.io/hostname',
                labelSelector: { matchLabels: { app: 'web' } },
              },
            },
          ],
        },
      },
      initContainers: [{ name: 'migrate', image: 'registry.example/migrate:1.4', command: ['/migrate', '--wait'] }],
      containers: [
        {
          name: 'app',
          image: 'registry.example/web:1.4',
          args: ['--listen=:8080', '--log-level=info'],
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'metrics', containerPort: 9090 },
          ],
          env: [
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'DB_HOST', value: 'db.default.svc.cluster.local' },
            { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
          ],
          resources: { requests: quantities('100m', '128Mi'), limits: quantities('500m', '256Mi') },
          livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, initialDelaySeconds: 10 },
          readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 5 },
          volumeMounts: [
            { name: 'config', mountPath: '/etc/web', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
        { name: 'proxy', image: 'registry.example/proxy:0.9', resources: { requests: quantities('50m', '64Mi') } },
      ],
      volumes: [
        { name: 'config', configMap: { name: 'web-config' } },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  };
}
