import * as Args from '@oclif/core/args';
import { createClient } from '../client/index.ts';
import { defaultCriSocket, hostNameOf, nodeNameSchema, parseDocument, socketUrl } from '../config/index.ts';
import { createLocalHost, lockMachine } from '../host/index.ts';
import { isMember, type JoinContext, joinPhases, memberPhases } from '../join/index.ts';
import { createReporter, runPhases } from '../workflow/index.ts';
import { createDryRun } from './dry-run.ts';
import { type JoinPlan, joinFlags, planJoin } from './join-flags.ts';
import { openMachine, programToInstall, requireRoot } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

export default class Join extends K8tsCommand {
  static override description =
    'Verifies the cluster by token and CA hash before anything is sent or changed, then starts the node agent, which asks for its own certificate. Run again, it continues where it was stopped.';
  static override examples = [
    '$ k8ts join k8ts1-…',
    '$ k8ts join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:…',
    '$ k8ts join --discovery-file cluster-info.conf --token abcdef.0123456789abcdef',
    '$ k8ts join --config join.yaml --dry-run',
  ];
  static override args = {
    target: Args.string({
      description: 'host:port of the API server (port 6443 if left out), or a join string',
    }),
  };
  static override flags = joinFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Join);
    const plan = await planJoin(args.target, flags);
    const dryRun = flags['dry-run'];
    if (!dryRun) requireRoot('join');
    const unlock = dryRun ? undefined : await lockMachine('join');
    const local = createLocalHost();
    const name = plan.document.node?.name ?? (await hostNameOf(local));
    const dry = dryRun ? createDryRun(local, name) : undefined;
    const machine =
      dry === undefined
        ? await openMachine({ manager: flags['service-manager'], verbosity: flags.v, installs: true })
        : { ...dry, ...(await programToInstall()) };
    const reporter = createReporter();
    for (const line of plan.warnings) reporter.say(`warning: ${line}`);
    const context: JoinContext = {
      ...machine,
      ...nodeOf(plan),
      nodeName: parseDocument(nodeNameSchema, name, 'the node name (--node-name)'),
      fix: flags.fix,
      connect: async ({ server, caPem }, login) => createClient({ server, ca: caPem, retries: 1, ...login }),
      say: (line) => reporter.say(line),
      found: {},
    };
    const phases = (await isMember(machine.host)) ? memberPhases : joinPhases;
    const asked = plan.document.skipPhases ?? [];
    // A dry run asks the cluster, which changes nothing, but no node appears that could be waited for.
    const skip = [...(phases === memberPhases ? known(asked) : asked), ...(dry === undefined ? [] : ['wait-node'])];
    try {
      await runPhases(phases, context, { reporter, signal: this.signal, skip });
    } finally {
      await context.found.client?.close();
      await unlock?.();
    }
    if (dry !== undefined)
      this.print(['This would be done:', ...dry.transcript().map((step) => `  ${step}`)].join('\n'));
  }
}

function nodeOf({ document, discovery, token }: JoinPlan) {
  const { node = {}, ignorePreflightErrors = [] } = document;
  return {
    discovery,
    token,
    nodeIp: node.ip,
    criSocket: socketUrl(node.criSocket ?? defaultCriSocket),
    labels: node.labels ?? {},
    taints: node.taints ?? [],
    maxPods: node.maxPods,
    ignoredChecks: ignorePreflightErrors,
  };
}

/** A node that is one already runs fewer phases: leaving out one that it does not have is no mistake. */
function known(names: readonly string[]): readonly string[] {
  return names.filter((name) => memberPhases.some((phase) => phase.name === name));
}
