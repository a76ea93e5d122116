// docs/preflight.md and docs/doctor.md, made from the tables, so that they cannot say anything else than these do.

import { doctorChecks } from '../src/doctor/index.ts';
import { type Check, checks, clusterChecks } from '../src/preflight/index.ts';

/** Path below the project's folder to content. */
export const checkPages = (): Readonly<Record<string, string>> => ({
  'docs/preflight.md': preflightPage(),
  'docs/doctor.md': doctorPage(),
});

type Row = Pick<Check<never>, 'id' | 'severity' | 'roles' | 'why' | 'remedy' | 'repair'>;

/** kubeadm's checks that have nothing to look at here, so that nobody looks for them. */
const notApplicable: readonly { readonly id: string; readonly why: string }[] = [
  { id: 'KubernetesVersion', why: 'k8ts comes with its own API server; there are not two versions to compare' },
  { id: 'Port-10257, Port-10259', why: 'controllers and scheduler run inside the server and listen nowhere' },
  { id: 'Port-2379, Port-2380', why: 'the state is in a file, not in an etcd of this machine' },
  { id: 'FileExisting-nsenter, -tc, -touch, -ethtool', why: 'k8ts does not use these programs' },
  { id: 'HTTPProxyCIDR', why: 'no process of k8ts takes a proxy from the environment' },
  { id: 'FileContent--proc-sys-net-ipv6-conf-default-forwarding', why: 'the overlay is IPv4' },
  { id: 'ExternalEtcdVersion, ExternalEtcdClientCertificates', why: 'see Port-2379' },
  { id: 'ImagePull', why: 'nothing is pulled: the only image that is needed is made on the machine' },
];

function preflightPage(): string {
  return `<!-- Made by scripts/generate-check-pages.ts from the tables in src/preflight/checks. -->

# Preflight checks

\`k8ts init\` and \`k8ts join\` look at the machine before they change it. An error ends the command (exit code 2), all of them named at once, each with what to do; a warning is only said.

- \`--ignore-preflight-errors ID,…\` turns errors into warnings; \`all\` does it for every one. Ids that kubeadm has are kubeadm's.
- \`--fix\` does what the last column says and looks again. It goes through the journal: \`k8ts reset\` takes it back.
- Kernel modules and settings that every node needs (\`overlay\`, \`br_netfilter\`, \`net.ipv4.ip_forward\`, \`net.bridge.*\`) are loaded, set and kept over a reboot without being asked; the checks only say when that cannot work.

## The machine

${table(checks)}

## The machine and its cluster

\`k8ts join\` runs these once it has read the cluster's configuration, and before it changes anything. What the cluster does not tell (a token of kubeadm may not list nodes) is not checked.

${table(clusterChecks)}

## Checks of kubeadm that do not apply

| id | why not |
|---|---|
${notApplicable.map(({ id, why }) => `| ${id} | ${why} |`).join('\n')}
`;
}

function doctorPage(): string {
  return `<!-- Made by scripts/generate-check-pages.ts from the tables in src/doctor/checks. -->

# k8ts doctor

\`k8ts doctor\` looks at this machine and its cluster and says what is wrong, each with its remedy. It changes nothing. Exit code 0: no errors (warnings may be); 1: errors. \`-o json\` and \`-o yaml\` have the findings, every way between two nodes that was tried, and what could not be looked at.

| run on | sees |
|---|---|
| the master, as root | itself, the cluster, and every node as it sees itself and the others |
| a worker, as root | itself, the nodes as the API server shows them, and its own ways to them |
| any machine with the administrator's kubeconfig | the cluster and every node |

How it sees the other nodes: each agent answers \`GET /k8ts/probe?target=ADDRESS:PORT\` on its port 10250, asked through the API server (\`nodes/NAME/proxy/k8ts/probe\`), to whoever has the right \`nodes/proxy\`. The agent tries every other node's agent at its own address and at its address in the overlay: a connection shows that small packets pass, a request of 6000 bytes that large ones do. It also tells its clock, the MTU of its links, whether the cluster DNS answers and passes questions on, its connection table and its disks. A request has at most 64 targets; each gets four seconds to connect and four to answer.

Two nodes that do not reach each other do not tell whose fault it is; with three or more, a node that has trouble with all others is named alone.

| id | level | why | remedy |
|---|---|---|---|
${doctorChecks.map(({ id, severity, why, remedy }) => `| ${id} | ${severity} | ${why} | ${remedy} |`).join('\n')}

On the machine itself those [preflight checks](preflight.md) are judged as well that say something about a machine that is a node already: swap, container runtime, cgroup driver, programs, kernel, limits, default route, overlapping ranges, MTU, nameservers, iptables, firewall, leftovers of other clusters, other node agents.
`;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ id, severity, roles, why, remedy, repair }) =>
    [id, severity, roles.length === 2 ? 'both' : roles.join(), why, remedy, repair?.does ?? ''].join(' | '),
  );
  return `| id | level | where | why | how to mend it | \`--fix\` |\n|---|---|---|---|---|---|\n${lines.map((line) => `| ${line} |`).join('\n')}`;
}
