// Flags that several commands share, named as kubeadm's.

import * as Flags from '@oclif/core/flags';
import { CodedError } from '../base/index.ts';

/** A list by commas, or by repeating the flag. */
export const list = (summary: string) => Flags.string({ summary, multiple: true, delimiter: ',' });

export const machineFlags = {
  'cri-socket': Flags.string({ summary: "Container runtime's socket; default unix:///run/containerd/containerd.sock" }),
  'node-name': Flags.string({ summary: 'Name of this node; default: the host name in lower case' }),
  'ignore-preflight-errors': list('Checks whose errors are only warnings, by id, or `all`'),
  fix: Flags.boolean({ summary: 'Do what failed checks suggest, where that is safe; reset takes it back' }),
  'skip-phases': list('Phases to leave out, by name'),
  'service-manager': Flags.option({
    options: ['auto', 'systemd', 'supervisor'] as const,
    default: 'auto' as const,
    summary: 'Who runs the services; auto: systemd where it is PID 1, otherwise a small supervisor',
  })(),
  'dry-run': Flags.boolean({ summary: 'Change nothing; print what would be done' }),
  v: Flags.integer({ char: 'v', summary: 'From 1 on: say every command and change', default: 0, min: 0 }),
} as const;

/** A flag of kubeadm that would change what k8ts does, and cannot be honoured: refused by name, never ignored. */
export const refusedText = (name: string, why: string) =>
  Flags.string({ hidden: true, parse: async () => Promise.reject(unsupported(name, why)) });

export const refusedSwitch = (name: string, why: string) =>
  Flags.boolean({ hidden: true, parse: async () => Promise.reject(unsupported(name, why)) });

/** A flag of kubeadm that k8ts takes with these values alone, because they say what it does anyway. */
export const sameAs = (name: string, values: readonly string[], why: string) =>
  Flags.string({
    hidden: true,
    parse: async (value) => (values.includes(value) ? value : Promise.reject(unsupported(name, why))),
  });

export function unsupported(name: string, why: string): CodedError {
  return new CodedError('FLAG_UNSUPPORTED', `--${name} is not supported: ${why}`, {
    exit: 'invalidInput',
    hint: `leave out --${name}`,
  });
}

export const kubeconfigFlag = Flags.string({
  summary: 'Kubeconfig to use; default $KUBECONFIG, then /etc/kubernetes/admin.conf',
});

export const outputFlag = Flags.option({
  char: 'o',
  options: ['table', 'json', 'yaml'] as const,
  default: 'table' as const,
  summary: 'How to print it',
})();
