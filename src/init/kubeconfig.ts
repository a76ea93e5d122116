// Kubeconfigs for people (admin, super-admin), for the control plane's own components, and for the node agent of this
// machine: where the CA's key is, its first certificate need not be asked for. The agent keeps and renews it from then on.

import { ensureKubeconfigs } from '../certs/index.ts';
import { kubernetesDir, paths } from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import { certContextOf, keyOptions } from './certs.ts';
import type { InitContext } from './context.ts';

const names = ['admin.conf', 'super-admin.conf', 'controller-manager.conf', 'scheduler.conf'];

export const kubeconfig: Phase<InitContext> = {
  name: 'kubeconfig',
  title: 'Writing kubeconfig files',
  aliases: ['kubeconfig/all'],
  run: async ({ host, config }) => {
    const has = async (path: string): Promise<boolean> => (await host.stat(path)) !== undefined;
    const agentNeedsOne = (await has(`${paths.pki}/ca.key`)) && !(await has(paths.kubeletConf));
    await ensureKubeconfigs(host, {
      context: certContextOf(config),
      certDir: paths.pki,
      kubeconfigDir: kubernetesDir,
      bindPort: config.bindPort,
      ...keyOptions(config),
      names: [...names, ...(agentNeedsOne ? ['kubelet.conf'] : [])],
    });
  },
};
