// The program below /opt/k8ts, so that services do not depend on where init was started from; kernel modules and settings,
// now and after a reboot. kubeadm leaves both to its user, who finds out by a failed check.

import { setUpHost } from '../bootstrap/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const hostSetup: Phase<InitContext> = {
  name: 'host-setup',
  title: 'Installing k8ts, preparing kernel modules and settings',
  run: async ({ host, installProgram }) => {
    await installProgram(host);
    await setUpHost(host);
  },
};
