// Flags that several commands share, named as kubeadm's.

import * as Flags from '@oclif/core/flags';

/** A list by commas, or by repeating the flag. */
export const list = (summary: string) => Flags.string({ summary, multiple: true, delimiter: ',' });

export const machineFlags = {
  'cri-socket': Flags.string({ summary: "Container runtime's socket; default unix:///run/containerd/containerd.sock" }),
  'node-name': Flags.string({ summary: 'Name of this node; default: the host name in lower case' }),
  'ignore-preflight-errors': list('Checks whose errors are only warnings, by id, or `all`'),
  'skip-phases': list('Phases to leave out, by name'),
  'service-manager': Flags.option({
    options: ['auto', 'systemd', 'supervisor'] as const,
    default: 'auto' as const,
    summary: 'Who runs the services; auto: systemd where it is PID 1, otherwise a small supervisor',
  })(),
  'dry-run': Flags.boolean({ summary: 'Change nothing; print what would be done' }),
  v: Flags.integer({ char: 'v', summary: 'From 1 on: say every command and change', default: 0, min: 0 }),
} as const;

export const kubeconfigFlag = Flags.string({
  summary: 'Kubeconfig to use; default $KUBECONFIG, then /etc/kubernetes/admin.conf',
});

export const outputFlag = Flags.option({
  char: 'o',
  options: ['table', 'json', 'yaml'] as const,
  default: 'table' as const,
  summary: 'How to print it',
})();
