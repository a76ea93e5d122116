// Kubeconfigs for people (admin, super-admin) and for the control plane's own components. The node's kubelet.conf is not
// among them: the agent gets it by a certificate request, here as on every other machine.

import { ensureKubeconfigs } from '../certs/index.ts';
import { kubernetesDir, paths } from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import { certContextOf, keyOptions } from './certs.ts';
import type { InitContext } from './context.ts';

export const kubeconfig: Phase<InitContext> = {
  name: 'kubeconfig',
  title: 'Writing kubeconfig files',
  aliases: ['kubeconfig/all'],
  run: async ({ host, config }) => {
    await ensureKubeconfigs(host, {
      context: certContextOf(config),
      certDir: paths.pki,
      kubeconfigDir: kubernetesDir,
      bindPort: config.bindPort,
      ...keyOptions(config),
      names: ['admin.conf', 'super-admin.conf', 'controller-manager.conf', 'scheduler.conf'],
    });
  },
};
