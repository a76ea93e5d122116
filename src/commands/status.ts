import { kinds } from '../api/index.ts';
import { messageOf } from '../base/index.ts';
import { whyNodeNotReady } from '../bootstrap/index.ts';
import { agentService, serverService } from '../config/index.ts';
import { kubeconfigFlag, outputFlag } from './flags.ts';
import { openClient, openMachine } from './machine.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows } from './output.ts';

interface Row {
  readonly kind: 'service' | 'api' | 'node';
  readonly name: string;
  readonly state: string;
  readonly reason: string | undefined;
}

const columns: readonly Column<Row>[] = [
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'NAME', value: ({ name }) => name },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'REASON', value: ({ reason }) => reason ?? '' },
];

export default class Status extends K8tsCommand {
  static override description =
    "Shows this machine's services and, where there is a kubeconfig, the API server and every node, each with the reason when it is not ready.";
  static override examples = ['$ k8ts status', '$ k8ts status -o json'];
  static override flags = { kubeconfig: kubeconfigFlag, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const rows = [...(await serviceRows()), ...(await this.#clusterRows(flags.kubeconfig))];
    this.print(formatRows(rows, columns, flags.output));
  }

  async #clusterRows(kubeconfig: string | undefined): Promise<readonly Row[]> {
    const client = await openClient(kubeconfig).catch(() => undefined); // a worker has none: its services are all it shows
    if (client === undefined) return [];
    try {
      const { items } = await client.list(kinds.node, {
        signal: AbortSignal.any([this.signal, AbortSignal.timeout(5000)]),
      });
      const nodes = items.map((node) => {
        const reason = whyNodeNotReady(node);
        return {
          kind: 'node' as const,
          name: node.metadata.name,
          state: reason === undefined ? 'Ready' : 'NotReady',
          reason,
        };
      });
      return [{ kind: 'api', name: 'API server', state: 'ready', reason: undefined }, ...nodes];
    } catch (error) {
      return [{ kind: 'api', name: 'API server', state: 'unreachable', reason: messageOf(error) }];
    } finally {
      await client.close();
    }
  }
}

async function serviceRows(): Promise<readonly Row[]> {
  const { services } = await openMachine();
  const names = [serverService, agentService];
  return Promise.all(
    names.map(async (name) => {
      const { state, reason, restarts } = await services.status(name);
      const again = restarts > 0 ? `restarted ${restarts} times` : undefined;
      return { kind: 'service' as const, name, state, reason: reason ?? again };
    }),
  );
}
