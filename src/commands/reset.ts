import { createInterface } from 'node:readline/promises';
import * as Flags from '@oclif/core/flags';
import { CodedError, codeOf } from '../base/index.ts';
import { type ApiClient, clientFromKubeconfig } from '../client/index.ts';
import {
  type AgentConfig,
  agentConfigPath,
  defaultCriSocket,
  kubernetesDir,
  loadAgentConfig,
  paths,
} from '../config/index.ts';
import { type Cri, createCri } from '../cri/index.ts';
import { createLocalHost, type Host, lockMachine } from '../host/index.ts';
import { isRuntimeAbsent, resetPhases } from '../reset/index.ts';
import { createReporter, runPhases } from '../workflow/index.ts';
import { list, machineFlags } from './flags.ts';
import { openMachine, requireRoot } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

/** ms */
const runtimePatience = 5000;

export default class Reset extends K8tsCommand {
  static override description =
    'Removes the node from the cluster, stops its pods and services, and takes back every change in /var/lib/k8ts/journal.jsonl. What k8ts did not do is left alone. On a master this ends the cluster and deletes its data.';
  static override examples = ['$ k8ts reset', '$ k8ts reset --force', '$ k8ts reset --dry-run'];
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Do not ask' }),
    'cri-socket': machineFlags['cri-socket'],
    'skip-phases': list('Phases to leave out, by name'),
    'dry-run': Flags.boolean({ summary: 'Change nothing; print what the journal holds' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Reset);
    requireRoot('reset');
    const machine = await openMachine();
    const changes = await machine.journal.changes();
    if (flags['dry-run']) {
      const lines = [...changes].reverse().map((change) => `  ${JSON.stringify({ ...change, before: undefined })}`);
      return this.print(['This would be taken back:', ...lines].join('\n'));
    }
    if (!flags.force) await this.#confirm();
    const unlock = await lockMachine('reset');
    const bare = createLocalHost();
    const agent = await ownAgentConfig(bare);
    const cri = await openRuntime(flags['cri-socket'] ?? agent?.criSocket ?? defaultCriSocket);
    const client = await openOwnClient(bare, agent);
    const reporter = createReporter();
    const context = {
      ...machine,
      host: bare,
      cri,
      nodeName: agent?.nodeName,
      client,
      agentData: paths.agentData,
      say: (line: string) => reporter.say(line),
    };
    try {
      await runPhases(resetPhases, context, { reporter, signal: this.signal, skip: flags['skip-phases'] ?? [] });
    } finally {
      await cri?.close();
      await client?.close();
      await unlock();
    }
  }

  async #confirm(): Promise<void> {
    const refused = new CodedError('NOT_CONFIRMED', 'nothing was done', { hint: 'k8ts reset --force does not ask' });
    if (!process.stdin.isTTY) throw refused;
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
      const question = 'This removes the machine from its cluster, with its pods and k8ts data. Go on? [y/N] ';
      const answer = await terminal.question(question, { signal: this.signal });
      if (!/^y(es)?$/i.test(answer.trim())) throw refused;
    } finally {
      terminal.close();
    }
  }
}

/** undefined when there is none, or none that can be read: reset does not depend on it. */
async function ownAgentConfig(host: Host): Promise<AgentConfig | undefined> {
  if ((await host.stat(agentConfigPath)) === undefined) return undefined;
  return loadAgentConfig().catch(unlessBug);
}

/** undefined when no runtime answers in time. */
async function openRuntime(socket: string): Promise<Cri | undefined> {
  const cri = createCri(socket);
  try {
    await cri.version(AbortSignal.timeout(runtimePatience));
    return cri;
  } catch (error) {
    await cri.close();
    if (isRuntimeAbsent(error) || (error instanceof Error && error.name === 'TimeoutError')) return undefined;
    throw error;
  }
}

/** What is damaged or gone does not stop a reset; a bug does. */
function unlessBug(error: unknown): undefined {
  if (codeOf(error) === undefined) throw error;
}

/** As administrator on a master, otherwise as the node itself. */
async function openOwnClient(host: Host, agent: AgentConfig | undefined): Promise<ApiClient | undefined> {
  for (const path of [`${kubernetesDir}/super-admin.conf`, agent?.kubeconfig]) {
    const text = path === undefined ? undefined : await host.readFileIfExists(path);
    if (text === undefined) continue;
    const client = clientFromKubeconfig(text.toString('utf8'), { folder: kubernetesDir, retries: 0 });
    return client.catch(unlessBug);
  }
  return undefined;
}
