// Kernel modules and settings, now and after a reboot. kubeadm leaves this to its user, who finds out by a failed check.

import { setUpHost } from '../bootstrap/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const hostSetup: Phase<InitContext> = {
  name: 'host-setup',
  title: 'Preparing kernel modules and settings',
  run: async ({ host }) => setUpHost(host),
};
