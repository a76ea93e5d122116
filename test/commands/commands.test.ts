import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { findCommand } from '../../src/commands/dispatch.ts';
import { helpOf } from '../../src/commands/oclif.ts';
import { formatRows } from '../../src/commands/output.ts';
import { commandTable } from '../../src/commands/table.ts';

/** Flags are an interface: one that disappears breaks scripts. */
const flags: Readonly<Record<string, string>> = {
  init: 'apiserver-advertise-address apiserver-bind-port apiserver-cert-extra-sans config control-plane-endpoint cri-socket dry-run ignore-preflight-errors node-name pod-network-cidr service-cidr service-dns-domain service-manager skip-phases token token-ttl v',
  join: 'cri-socket discovery-token-ca-cert-hash discovery-token-unsafe-skip-ca-verification ignore-preflight-errors node-ip node-name service-manager skip-phases token v',
  reset: 'cri-socket dry-run force skip-phases',
  status: 'kubeconfig output',
  'token create': 'description groups kubeconfig print-join-command ttl usages',
  'token delete': 'kubeconfig',
  'token generate': '',
  'token list': 'kubeconfig output',
  'image import': 'cri-socket',
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
  { name: 'missing flag', args: ['join', 'h:6443'], code: 3, err: /token/ },
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
  { name: 'bad duration', args: ['init', '--token-ttl', 'soon'], code: 3, err: /DURATION_MALFORMED/ },
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
  const results = await runAll(cases.map(({ args }) => args));
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

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runAll(lines: readonly (readonly string[])[]): Promise<readonly Result[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'run-cases.ts')], {
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    });
    let text = '';
    child.stdio[3]?.on('data', (chunk) => {
      text += String(chunk);
    });
    child.on('error', reject);
    child.on('close', () => resolve(JSON.parse(text) as readonly Result[]));
    child.stdin?.end(JSON.stringify(lines));
  });
}
