import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { CodedError } from '../base/index.ts';
import { clientFromKubeconfig, type HttpApiClient } from '../client/index.ts';
import { paths } from '../config/index.ts';
import { parseKubeconfig } from '../kubeconfig/index.ts';
import { kubeconfigFlag } from './flags.ts';
import { openClient, openMachine } from './machine.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows } from './output.ts';
import { apiRows, certificateRows, nodeRows, type StatusRow, serviceRows } from './status-rows.ts';

const columns: readonly Column<StatusRow>[] = [
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'NAME', value: ({ name }) => name },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'REASON', value: ({ reason }) => reason ?? '' },
];
const detail: Column<StatusRow> = { header: 'DETAIL', value: (row) => row.detail ?? '' };

/** ms for everything that is asked of the cluster. */
const patience = 5000;

export default class Status extends K8tsCommand {
  static override description =
    "Shows this machine's services and certificates and, where there is a kubeconfig, the API server, its components and every node, each with the reason when it is not ready. Works when the API server is down. Exits with 0 when everything is ready, otherwise with 1.";
  static override examples = ['$ k8ts status', '$ k8ts status -o wide', '$ k8ts status -o json'];
  static override flags = {
    kubeconfig: kubeconfigFlag,
    output: Flags.option({
      char: 'o',
      options: ['table', 'wide', 'json', 'yaml'] as const,
      default: 'table' as const,
      summary: 'How to print it; wide: with versions, addresses and dates',
    })(),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const { host, services } = await openMachine();
    const [own, cluster, certificates] = await Promise.all([
      serviceRows(services),
      this.#clusterRows(flags.kubeconfig),
      certificateRows(host, Date.now()),
    ]);
    const rows = [...own, ...cluster, ...certificates];
    const { output } = flags;
    if (output === 'wide') this.print(formatRows(rows, [...columns.slice(0, 3), detail, ...columns.slice(3)], 'table'));
    else this.print(formatRows(rows, columns, output));
    const bad = rows.filter(({ ready }) => !ready);
    if (bad.length === 0) return;
    throw new CodedError('NOT_READY', `not ready: ${bad.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`, {
      hint: 'the REASON column says why; k8ts doctor looks closer',
    });
  }

  async #clusterRows(kubeconfig: string | undefined): Promise<readonly StatusRow[]> {
    const access = await openAccess(kubeconfig);
    if (access === undefined) return [];
    const { client, ownName } = access;
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(patience)]);
    try {
      const api = await apiRows(client, signal);
      const isReady = api.every((row) => row.kind !== 'api' || row.ready);
      return isReady ? [...api, ...(await nodeRows(client, ownName, signal))] : api;
    } finally {
      await client.close();
    }
  }
}

interface Access {
  readonly client: HttpApiClient;
  /** Name of the node whose identity is used. */
  readonly ownName: string | undefined;
}

/** As administrator, or as this node where there is no kubeconfig of an administrator. */
async function openAccess(kubeconfig: string | undefined): Promise<Access | undefined> {
  try {
    return { client: await openClient(kubeconfig), ownName: undefined };
  } catch (error) {
    if (kubeconfig !== undefined) throw error;
  }
  const text = await readFile(paths.kubeletConf, 'utf8').catch(() => undefined); // neither: services are all there is
  if (text === undefined) return undefined;
  const folder = dirname(paths.kubeletConf);
  const { user } = parseKubeconfig(text, { folder });
  return {
    client: await clientFromKubeconfig(text, { folder, retries: 0 }),
    ownName: user.replace(/^system:node:/, ''),
  };
}
