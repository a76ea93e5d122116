import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { dump } from 'js-yaml';
import { CodedError, codeOf } from '../base/index.ts';
import { clientFromKubeconfig, type HttpApiClient } from '../client/index.ts';
import { agentConfigPath, loadAgentConfig, paths } from '../config/index.ts';
import { createCri } from '../cri/index.ts';
import { type DoctorFinding, diagnose, gather, type NodePath, type Observations, pathsOf } from '../doctor/index.ts';
import { createLocalHost } from '../host/index.ts';
import { kubeconfigFlag, outputFlag } from './flags.ts';
import { openMachine } from './machine.ts';
import { K8tsCommand } from './oclif.ts';
import { formatRows } from './output.ts';

interface Report {
  readonly findings: readonly DoctorFinding[];
  /** From every node that could be asked to every other one. */
  readonly paths: readonly NodePath[];
  readonly notLookedAt: readonly string[];
}

export default class Doctor extends K8tsCommand {
  static override description =
    'Looks at this machine and its cluster and says what is wrong, each with its remedy: services, container runtime, certificates, clocks, DNS, disks, leftovers of other clusters, and whether every node reaches every other one, directly and through the overlay, with large packets too. Changes nothing. With admin.conf every node is asked through the API server, so one machine shows all of them. Exit code 0: no errors; 1: errors.';
  static override examples = [
    '$ k8ts doctor',
    '$ k8ts doctor -o json',
    '$ k8ts doctor --kubeconfig $HOME/.kube/config      from a machine that is no node',
  ];
  static override flags = { kubeconfig: kubeconfigFlag, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const client = await openAnyClient(flags.kubeconfig);
    const node = await openNode();
    try {
      if (client === undefined && node === undefined) {
        throw new CodedError('NOTHING_TO_LOOK_AT', 'this machine is no node of k8ts, and there is no kubeconfig', {
          exit: 'invalidInput',
          hint: 'run it as root on a node, or pass --kubeconfig',
        });
      }
      const found = { ...(client === undefined ? {} : { client }), ...(node === undefined ? {} : { node }) };
      const observed = await gather({ host: createLocalHost(), ...found }, this.signal);
      const findings = diagnose(observed);
      this.print(
        format({ findings, paths: pathsOf(observed), notLookedAt: observed.notLookedAt }, observed, flags.output),
      );
      requireHealthy(findings);
    } finally {
      await client?.close();
      await node?.cri.close();
    }
  }
}

/** @throws CodedError UNHEALTHY, exit code 1 */
function requireHealthy(findings: readonly DoctorFinding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new CodedError('UNHEALTHY', errors.length === 1 ? '1 error was found' : `${errors.length} errors were found`, {
    hint: 'do what stands beside each, and run k8ts doctor again',
  });
}

/** With the administrator's kubeconfig, or as the node that this machine is, which may see less. */
async function openAnyClient(given: string | undefined): Promise<HttpApiClient | undefined> {
  const asked = given ?? process.env['KUBECONFIG'];
  for (const path of asked === undefined ? [paths.adminConf, paths.kubeletConf] : [asked]) {
    try {
      return await clientFromKubeconfig(await readFile(path, 'utf8'), { folder: dirname(path), retries: 1 });
    } catch (error) {
      if (asked === undefined && (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES')) continue;
      throw new CodedError('KUBECONFIG_ABSENT', `kubeconfig ${path} cannot be used (${codeOf(error) ?? error})`, {
        exit: 'invalidInput',
        hint: 'pass --kubeconfig with the path of one that works',
        cause: error,
      });
    }
  }
  return undefined;
}

async function openNode() {
  try {
    await readFile(agentConfigPath);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
  const config = await loadAgentConfig();
  const { services } = await openMachine();
  return { config, services, cri: createCri(config.criSocket) };
}

function format(report: Report, observed: Observations, output: 'table' | 'json' | 'yaml'): string {
  if (output === 'json') return JSON.stringify(report, null, 2);
  if (output === 'yaml') return dump(report, { lineWidth: -1 }).trimEnd();
  const { findings, paths: ways, notLookedAt } = report;
  return [
    ...(findings.length === 0 ? [healthy(observed)] : findings.map(describe)),
    ...(ways.length === 0 ? [] : ['', matrix(ways)]),
    ...(notLookedAt.length === 0 ? [] : ['', ...notLookedAt.map((what) => `not looked at: ${what}`)]),
  ].join('\n');
}

function healthy({ machine, cluster }: Observations): string {
  const nodes = cluster?.nodes.length ?? 0;
  const seen = [
    ...(machine === undefined ? [] : [`machine ${machine.nodeName}`]),
    ...(nodes === 0 ? [] : [`${nodes} ${nodes === 1 ? 'node' : 'nodes'}`]),
  ];
  return `nothing is wrong with ${seen.join(' and ')}`;
}

function describe({ id, severity, subject, cause, remedy }: DoctorFinding): string {
  return `[${severity === 'error' ? 'ERROR' : 'WARNING'} ${id}] ${subject}: ${cause}\n    remedy: ${remedy}`;
}

/** Who reaches whom: one row per node that was asked. */
function matrix(ways: readonly NodePath[]): string {
  const names = [...new Set(ways.flatMap(({ from, to }) => [from, to]))].sort();
  const rows = names.filter((name) => ways.some(({ from }) => from === name));
  const cell = (from: string, to: string): string => {
    const way = ways.find((one) => one.from === from && one.to === to);
    if (way === undefined) return from === to ? '·' : '?';
    if (way.direct.outcome !== 'ok') return way.direct.outcome;
    return way.overlay === undefined || way.overlay.outcome === 'ok' ? 'ok' : `overlay ${way.overlay.outcome}`;
  };
  return formatRows(
    rows,
    [
      { header: 'FROM \\ TO', value: (from) => from },
      ...names.map((to) => ({ header: to, value: (from: string) => cell(from, to) })),
    ],
    'table',
  );
}
