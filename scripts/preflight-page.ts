// docs/preflight.md, made from the tables, so that it cannot say anything else than they do.

import { type Check, checks, clusterChecks } from '../src/preflight/index.ts';

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

export function preflightPage(): string {
  return `<!-- Made by scripts/generate-preflight-docs.ts from the tables in src/preflight/checks. -->

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

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ id, severity, roles, why, remedy, repair }) =>
    [id, severity, roles.length === 2 ? 'both' : roles.join(), why, remedy, repair?.does ?? ''].join(' | '),
  );
  return `| id | level | where | why | how to mend it | \`--fix\` |\n|---|---|---|---|---|---|\n${lines.map((line) => `| ${line} |`).join('\n')}`;
}
