import { initFlags } from './init-flags.ts';
import { K8tsCommand } from './oclif.ts';
import { runInit } from './run-init.ts';

export default class Init extends K8tsCommand {
  static override description =
    'Checks the machine, writes certificates, starts the control plane and the node agent, and prints the command that adds machines. Run again, it continues where it was stopped, with the settings that it was given then.';
  static override examples = [
    '$ k8ts init',
    '$ k8ts init --apiserver-advertise-address 192.0.2.10 --node-name master',
    '$ k8ts init --control-plane-endpoint api.example.org:6443 --pod-network-cidr 10.32.0.0/16',
    '$ k8ts init --config cluster.yaml --dry-run',
    '$ k8ts init --fix --ignore-preflight-errors NumCPU',
  ];
  static override flags = initFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(Init);
    await runInit(flags, { signal: this.signal, print: (text) => this.print(text) });
  }
}
