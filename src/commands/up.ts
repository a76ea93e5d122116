import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import * as Flags from '@oclif/core/flags';
import { CodedError, messageOf } from '../base/index.ts';
import { rootOf } from '../bundle/index.ts';
import { createLocalHost, openKnownHosts } from '../host/index.ts';
import {
  createLiveProgress,
  createPlainProgress,
  createReach,
  describeFailures,
  incomplete,
  mergeKubeconfig,
  parseClusterFile,
  type Removal,
  runUp,
} from '../up/index.ts';
import { K8tsCommand } from './oclif.ts';

export default class Up extends K8tsCommand {
  static override description =
    'Makes the machines in a file a cluster, over SSH: installs k8ts on each, runs init on the control plane and join on the others, sets labels and taints, and puts the administrator into your kubeconfig. Run again, it changes what is different from the file, and nothing else. Needs nothing on the machines but sshd and a container runtime.';
  static override examples = [
    '$ k8ts up -f cluster.yaml',
    '$ k8ts up -f cluster.yaml --dry-run',
    '$ k8ts up -f cluster.yaml --accept-new-host-keys',
    '$ k8ts up -f cluster.yaml --prune --yes',
    '$ kubectl --context lab get nodes',
  ];
  static override flags = {
    file: Flags.string({
      char: 'f',
      required: true,
      summary: 'File with a k8ts.dev/v1 Cluster (examples/cluster.yaml)',
    }),
    'dry-run': Flags.boolean({ summary: 'Look at the machines, change nothing, print what would be done' }),
    prune: Flags.boolean({ summary: 'Drain, reset and delete nodes that are not in the file any more' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask before nodes are removed' }),
    concurrency: Flags.integer({ summary: 'Machines that are worked on at once', default: 30, min: 1 }),
    'accept-new-host-keys': Flags.boolean({
      summary: 'Believe machines that known_hosts does not have, and add them to it; a changed key is still an error',
    }),
    'known-hosts': Flags.string({ summary: 'known_hosts file; default ~/.ssh/known_hosts' }),
    kubeconfig: Flags.string({
      summary: 'File to put the cluster into; default the first of $KUBECONFIG, ~/.kube/config',
    }),
    context: Flags.string({ summary: 'Name of the context there; default metadata.name' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Up);
    const source = resolve(flags.file);
    const file = parseClusterFile(await readFileOrFail(source), flags.file);
    const ownKnownHosts = flags['known-hosts'] ?? join(homedir(), '.ssh/known_hosts');
    const knownHosts = await openKnownHosts([ownKnownHosts, '/etc/ssh/ssh_known_hosts']);
    const write = (text: string): void => void process.stdout.write(text);
    const isLive = process.stdout.isTTY === true && process.stdout.columns >= 40; // a live line that wraps cannot be replaced
    const report = await runUp({
      file,
      reachOf: createReach(file, { source, env: process.env }),
      ssh: { knownHosts, acceptNewHostKeys: flags['accept-new-host-keys'] },
      programRoot: programRoot(),
      concurrency: flags.concurrency,
      dryRun: flags['dry-run'],
      mayRemove: async (removals) => flags.prune && (flags['dry-run'] || flags.yes || (await this.#confirm(removals))),
      startProgress: async (ids) => (isLive ? createLiveProgress(ids, write) : createPlainProgress(write)),
      signal: this.signal,
    });
    const [dryRun, isSame] = [flags['dry-run'], report.plan.length === 0 && report.failures.length === 0];
    if (isSame) this.print(`Nothing to do: all ${report.machines} machines are as ${flags.file} says.`);
    else if (dryRun) this.print(['This would be done:', ...report.plan.map((line) => `  ${line}`)].join('\n'));
    for (const line of report.strays) this.print(line);
    if (report.adminConf !== undefined)
      await this.#keepKubeconfig(report.adminConf, flags.kubeconfig, flags.context ?? file.metadata.name);
    if (report.failures.length === 0) return;
    process.stderr.write(`\n${describeFailures(report.failures).join('\n')}\n\n`);
    throw incomplete(report.failures, report.machines);
  }

  async #keepKubeconfig(from: string, given: string | undefined, context: string): Promise<void> {
    const inEnvironment = (process.env['KUBECONFIG'] ?? '').split(':').find((path) => path !== '');
    const path = resolve(given ?? inEnvironment ?? join(homedir(), '.kube/config'));
    const local = createLocalHost();
    const into = (await local.readFileIfExists(path))?.toString('utf8');
    const merged = mergeKubeconfig({ into, path, from, context });
    if (merged === undefined) return;
    await local.writeFile(path, merged, { mode: 0o600 });
    this.print(`Wrote context ${context} to ${path}. Try: kubectl --context ${context} get nodes`);
  }

  async #confirm(removals: readonly Removal[]): Promise<boolean> {
    const names = removals.map(({ nodeName }) => nodeName).join(', ');
    if (!process.stdin.isTTY) {
      throw new CodedError('NOT_CONFIRMED', `nothing was done: --prune would remove ${names}`, {
        hint: 'k8ts up --prune --yes does not ask',
      });
    }
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
      const question = `This moves the pods of ${names} elsewhere, resets these machines and deletes their nodes. Go on? [y/N] `;
      return /^y(es)?$/i.test((await terminal.question(question, { signal: this.signal })).trim());
    } finally {
      terminal.close();
    }
  }
}

/** The program that is installed on the machines is this one; a checkout that runs from its sources installs what it built. */
function programRoot(): string {
  return rootOf(process.argv[1] ?? '') ?? join(import.meta.dirname, '../..');
}

async function readFileOrFail(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      exit: 'invalidInput',
      hint: 'examples/cluster.yaml shows what it holds',
      cause: error,
    });
  }
}
