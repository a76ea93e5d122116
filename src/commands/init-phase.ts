import { initPhases, resolvePhase } from '../init/index.ts';
import { formatToken } from '../tokens/index.ts';
import { initFlags } from './init-flags.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows } from './output.ts';
import { runInit } from './run-init.ts';

const columns: readonly Column<(typeof initPhases)[number]>[] = [
  { header: 'PHASE', value: ({ name }) => name },
  { header: 'WHAT IT DOES', value: ({ title }) => title },
  { header: 'ALSO CALLED', value: ({ aliases = [] }) => aliases.join(', ') },
];

export default class InitPhase extends K8tsCommand {
  static override description =
    'Runs a single phase of init, or lists them. Each can be run again: what is there is kept. Names of kubeadm are taken where they mean the same.';
  static override usage = 'init phase [NAME] [FLAGS]';
  static override examples = [
    '$ k8ts init phase',
    '$ k8ts init phase certs',
    '$ k8ts init phase upload-config all',
    '$ k8ts init phase preflight --fix',
  ];
  static override strict = false;
  static override flags = initFlags;

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(InitPhase);
    if (argv.length === 0) return this.print(formatRows(initPhases, columns, 'table'));
    const name = resolvePhase(argv.map(String));
    const tokens = await runInit(flags, { only: [name], signal: this.signal, print: (text) => this.print(text) });
    // Nobody would learn of the token otherwise: the phase that shows it has not run.
    if (name === 'bootstrap-token' && !flags['skip-token-print'] && !flags['dry-run'])
      this.print(tokens.map(({ token }) => formatToken(token)).join('\n'));
  }
}
