// Where things are on a machine. kubeadm's places where it has them: people's fingers and scripts know them.

export const kubernetesDir = '/etc/kubernetes';

export const paths = {
  pki: `${kubernetesDir}/pki`,
  caFile: `${kubernetesDir}/pki/ca.crt`,
  adminConf: `${kubernetesDir}/admin.conf`,
  kubeletConf: `${kubernetesDir}/kubelet.conf`,
  bootstrapKubeletConf: `${kubernetesDir}/bootstrap-kubelet.conf`,
  /** The document that init was told the cluster by, for its next run. */
  clusterDocument: '/etc/k8ts/cluster.yaml',
  serverData: '/var/lib/k8ts/server',
  agentData: '/var/lib/k8ts/agent',
} as const;

/** Where distributions put the CNI plugins: upstream's folder, Debian's, Fedora's. */
export const cniBinDirs: readonly string[] = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

export const serverService = 'k8ts-server';
export const agentService = 'k8ts-agent';
