import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { findCommand } from '../../src/commands/dispatch.ts';
import { helpOf } from '../../src/commands/oclif.ts';
import { formatRows } from '../../src/commands/output.ts';
import { commandTable } from '../../src/commands/table.ts';
import { formatJoinString } from '../../src/tokens/index.ts';
import { runLines } from './run-lines.ts';

const initFlags =
  'apiserver-advertise-address apiserver-bind-port apiserver-cert-extra-sans config control-plane-endpoint cri-socket datastore dry-run fix ignore-preflight-errors node-name pod-network-cidr service-cidr service-dns-domain service-manager skip-phases skip-token-print token token-ttl v';
/** Flags are an interface: one that disappears breaks scripts. */
const flags: Readonly<Record<string, string>> = {
  init: initFlags,
  'init phase': initFlags,
  join: 'config cri-socket discovery-file discovery-token discovery-token-ca-cert-hash discovery-token-unsafe-skip-ca-verification dry-run fix ignore-preflight-errors node-ip node-name service-manager skip-phases tls-bootstrap-token token v',
  'config print': 'doc',
  'config validate': 'config',
  'config migrate': 'new-config old-config',
  completion: '',
  reset: 'cri-socket dry-run force skip-phases',
  status: 'kubeconfig output',
  'token create':
    'description dry-run groups kubeconfig print-install-command print-join-command print-join-string ttl usages',
  'token delete': 'dry-run kubeconfig',
  'certs add-san': 'cert-dir dry-run kubeconfig-dir',
  'certs certificate-key': '',
  'certs check-expiration': 'cert-dir kubeconfig-dir output',
  'certs generate-csr': 'cert-dir config dry-run etcd kubeconfig-dir',
  'certs renew': 'cert-dir dry-run kubeconfig-dir',
  'certs rotate-ca': 'all cert-dir dry-run force key-algorithm kubeconfig kubeconfig-dir stage timeout',
  'kubeconfig user': 'cert-dir client-name config org token validity-period',
  'token generate': '',
  'token list': 'kubeconfig output',
  doctor: 'kubeconfig output',
  up: 'accept-new-host-keys concurrency context dry-run file known-hosts kubeconfig prune yes',
  'image build': 'architecture cmd cri-socket entrypoint env expose file output rootfs tag user workdir',
  'image export': 'cri-socket file output',
  'image import': 'cri-socket output',
  'image list': 'cri-socket output',
};

t.test('every command has help with its flags and an example', async (t) => {
  for (const entry of commandTable) {
    if ('run' in entry) {
      t.match(entry.help, `k8ts ${entry.name}`);
      continue;
    }
    const help = await helpOf(entry, '0.0.0');
    t.match(help, entry.summary);
    t.match(help, /EXAMPLES\n\s+\$ k8ts/, `${entry.name} has examples`);
    const shown = [...help.matchAll(/^ {2}(?:-\w, |\s{4})?--([a-z-]+)/gm)].map(([, name]) => name).sort();
    t.equal(shown.join(' '), flags[entry.name], entry.name);
  }
});

t.test('the longest entry that the words begin with is the command', async (t) => {
  t.equal(findCommand(['token', 'create', 'x'])?.name, 'token create');
  t.equal(findCommand(['token']), undefined);
  t.equal(findCommand(['init', '--token', 'create'])?.name, 'init');
});

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly out?: RegExp;
  readonly err?: RegExp;
}

const token = 'abcdef.0123456789abcdef';
const joinParts = {
  endpoints: ['192.0.2.10:6443'],
  caCertHashes: [`sha256:${'ab'.repeat(32)}`],
  token: { id: 'abcdef', secret: '0123456789abcdef' },
};
/** Where the machine that tests run on has no default route. */
const here = ['--apiserver-advertise-address', '192.0.2.1'];

const cases: readonly Case[] = [
  { name: 'overview', args: [], code: 0, out: /COMMANDS\n {2}init/ },
  { name: 'topic', args: ['token'], code: 0, out: /token create/ },
  { name: 'help COMMAND', args: ['help', 'token', 'list'], code: 0, out: /USAGE\n\s+\$ k8ts token list/ },
  {
    name: 'typing error',
    args: ['jion'],
    code: 3,
    err: /no command jion \[COMMAND_UNKNOWN\]\n {2}what to do: did you mean k8ts join\?/,
  },
  {
    name: 'unknown flag',
    args: ['init', '--nope'],
    code: 3,
    err: /--nope \[USAGE\]\n {2}what to do: k8ts init --help/,
  },
  { name: 'missing token', args: ['join', 'h:6443'], code: 3, err: /--token is missing \[TOKEN_MISSING\]/ },
  { name: 'nothing to join', args: ['join', '--token', token], code: 3, err: /ENDPOINT_MISSING.*\n.*token create/ },
  { name: 'a cut join string', args: ['join', 'k8ts1-YWJj'], code: 3, err: /JOIN_STRING_DAMAGED/ },
  { name: 'a join string of later', args: ['join', 'k8ts7-YWJj'], code: 3, err: /JOIN_STRING_VERSION/ },
  {
    name: 'an expired join string',
    args: ['join', formatJoinString({ ...joinParts, expires: new Date('2020-01-01') })],
    code: 1,
    err: /"abcdef" in this join string expired at 2020-01-01.*this machine's clock says 20.*TOKEN_EXPIRED/,
  },
  {
    name: 'a file and an endpoint',
    args: ['join', 'h', '--discovery-file', '/f', '--token', token],
    code: 3,
    err: /DISCOVERY_AMBIGUOUS/,
  },
  {
    name: 'a flag for a second master',
    args: ['join', 'h', '--control-plane'],
    code: 3,
    err: /--control-plane is not supported: more than one master.*\[FLAG_UNSUPPORTED\]\n.*leave out --control-plane/,
  },
  { name: 'a bad node address', args: ['join', 'h', '--node-ip', 'x'], code: 3, err: /node.ip: must be an IPv4/ },
  ...['--certificate-key=x', '--upload-certs', '--feature-gates=A=true', '--patches=/p', '--rootfs=/r'].map((flag) => ({
    name: 'a flag of kubeadm that cannot be honoured',
    args: ['init', flag],
    code: 3,
    err: new RegExp(`${flag.replace(/=.*/, '')} is not supported: .*FLAG_UNSUPPORTED`),
  })),
  {
    name: 'another release',
    args: ['init', '--kubernetes-version', 'v1.20.2'],
    code: 3,
    err: /k8ts serves the API of Kubernetes 1\.\d+/,
  },
  { name: 'another folder', args: ['init', '--cert-dir', '/x'], code: 3, err: /--cert-dir is not supported/ },
  {
    name: 'etcd',
    args: ['init', '--datastore', 'etcd', ...here],
    code: 3,
    err: /datastore: etcd is not supported yet/,
  },
  {
    name: 'what kubeadm takes and has no effect is said',
    args: [
      'init',
      '--dry-run',
      '--image-repository',
      'r',
      '--kubernetes-version',
      'stable-1',
      '--skip-phases',
      'etcd',
      '--ignore-preflight-errors',
      'all',
      ...here,
    ],
    code: 0,
    out: /warning: --image-repository has no effect[\s\S]*no phase etcd to leave out: state is kept in SQLite[\s\S]*This would be done/,
  },
  {
    name: 'a list of phases',
    args: ['init', 'phase'],
    code: 0,
    out: /certs +Writing certificates +certs\/all[\s\S]*addon-dns +Announcing/,
  },
  {
    name: 'an unknown phase',
    args: ['init', 'phase', 'x', '--dry-run', ...here],
    code: 3,
    err: /no phase x \[PHASE_UNKNOWN\]/,
  },
  { name: 'part of a phase', args: ['init', 'phase', 'certs', 'ca'], code: 3, err: /PHASE_PART.*\n.*use certs/ },
  { name: 'a phase of kubeadm', args: ['init', 'phase', 'etcd', 'local'], code: 3, err: /PHASE_ABSENT/ },
  {
    name: 'one phase, by the name that kubeadm has',
    args: ['init', 'phase', 'certs', 'all', '--dry-run', ...here],
    code: 0,
    out: /This would be done:\n {2}make folder \/etc\/kubernetes\/pki[\s\S]*sa.pub mode 644 new\n$/,
  },
  { name: 'a file that is not there', args: ['init', '--config', '/no/such'], code: 3, err: /CONFIG_UNREADABLE/ },
  {
    name: 'the configuration, bare',
    args: ['config', 'print'],
    code: 0,
    out: /^apiVersion: k8ts.dev\/v1\nkind: ClusterC/,
  },
  {
    name: 'the configuration, with words',
    args: ['config', 'print', 'join-defaults', '--doc'],
    code: 0,
    out: /# How the cluster is found and trusted\.\ndiscovery:/,
  },
  { name: 'no such configuration', args: ['config', 'print', 'reset'], code: 3, err: /no configuration reset/ },
  { name: 'no file to check', args: ['config', 'validate'], code: 3, err: /USAGE/ },
  { name: 'an unknown shell', args: ['completion', 'tcsh'], code: 3, err: /USAGE/ },
  { name: 'malformed token', args: ['join', 'h:6443', '--token', 'abc'], code: 3, err: /TOKEN_MALFORMED/ },
  { name: 'no hash', args: ['join', 'h', '--token', 'abcdef.0123456789abcdef'], code: 3, err: /CA_HASH_MISSING/ },
  {
    name: 'bad hash',
    args: ['join', 'h', '--token', 'abcdef.0123456789abcdef', '--discovery-token-ca-cert-hash', 'md5:1'],
    code: 3,
    err: /CA_HASH_INVALID/,
  },
  {
    name: 'bad endpoint',
    args: ['join', 'a/b', '--token', 'abcdef.0123456789abcdef', '--discovery-token-unsafe-skip-ca-verification'],
    code: 3,
    err: /ENDPOINT_INVALID/,
  },
  {
    name: 'bad range',
    args: ['init', '--dry-run', '--pod-network-cidr', '10.0.0.0/40', '--apiserver-advertise-address', '192.0.2.1'],
    code: 3,
    err: /networking.podCidr: must be an IPv4 range/,
  },
  {
    name: 'bad duration',
    args: ['init', '--token-ttl', 'soon'],
    code: 3,
    err: /bootstrapTokens.0.ttl: must be a duration such as 24h0m0s/,
  },
  { name: 'no kubeconfig', args: ['token', 'list', '--kubeconfig', '/no/such'], code: 3, err: /KUBECONFIG_ABSENT/ },
  {
    name: 'daemon without its file',
    args: ['run', 'server', '--config', '/no/such'],
    code: 3,
    err: /CONFIG_UNREADABLE/,
  },
  { name: 'daemon with a bad flag', args: ['run', 'agent', '--nope'], code: 3, err: /USAGE/ },
  { name: 'daemon help', args: ['run', 'agent', '--help'], code: 0, out: /k8ts run agent \[--config/ },
  { name: 'generated token', args: ['token', 'generate'], code: 0, out: /^[a-z0-9]{6}\.[a-z0-9]{16}\n$/ },
];

t.test('command lines', async (t) => {
  const results = await runLines(cases.map(({ args }) => args));
  for (const [at, { name, args, code, out, err }] of cases.entries()) {
    const result = results[at];
    const title = `k8ts ${args.join(' ')}: ${name}`;
    t.equal(result?.code, code, `${title} ${result?.stderr}`);
    if (out !== undefined) t.match(result?.stdout, out, title);
    if (err !== undefined) t.match(result?.stderr, err, title);
    t.notMatch(result?.stderr, '0123456789abcdef', 'no secret is printed');
  }
});

t.test('the program: a fast answer, and exit codes that reach the shell', async (t) => {
  const bin = join(import.meta.dirname, '../../bin/k8ts');
  t.match(spawnSync(bin, ['--version'], { encoding: 'utf8' }), { status: 0, stdout: /^k8ts \d+\.\d+\.\d+\n$/ });
  t.match(spawnSync(bin, ['nope'], { encoding: 'utf8' }), { status: 3, stderr: /COMMAND_UNKNOWN/ });
});

t.test('rows as table, JSON and YAML', async (t) => {
  const rows = [
    { a: 'x', count: 1 },
    { a: 'long', count: 2 },
  ];
  const columns = [
    { header: 'A', value: ({ a }: { a: string }) => a },
    { header: 'N', value: ({ count }: { count: number }) => String(count) },
  ];
  t.equal(formatRows(rows, columns, 'table'), 'A      N\nx      1\nlong   2');
  t.strictSame(JSON.parse(formatRows(rows, columns, 'json')), rows);
  t.match(formatRows(rows, columns, 'yaml'), '- a: x\n  count: 1');
});
