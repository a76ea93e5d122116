// Bringing a cluster up and growing it when things go wrong: init killed at every stage, and each way that a join can fail, told
// apart by the real API server. What goes well is in story.test.ts.

import t from 'tap';
import { createLab, eventually, mustSucceed, type Output } from './lab.ts';

t.setTimeout(240_000);
const lab = createLab('e2e-bootstrap');
const k8ts = 'bin/k8ts';

t.before(async () => {
  await lab.down();
  await lab.up('master', 'node1', 'node2');
  await Promise.all(
    ['master', 'node1'].map(async (host) => mustSucceed(await lab.k8ts(host, ['image', 'import', ...lab.images]))),
  );
});
t.teardown(() => lab.down());

/** Kills init with SIGKILL as soon as it has said something about `phase`. */
async function killInitAt(phase: string): Promise<Output> {
  const script = `"$0" init --pod-network-cidr 10.50.0.0/16 >/tmp/init.log 2>&1 & pid=$!
    until grep -q "^.$1. " /tmp/init.log || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
    kill -9 $pid; wait $pid; cat /tmp/init.log`;
  return lab.on('master', ['sh', '-c', script, k8ts, phase]);
}

t.test('init killed at any stage is continued by the next run, with the settings of the first', async (t) => {
  for (const phase of ['certs', 'control-plane', 'mark-control-plane']) {
    const { stdout } = await killInitAt(phase);
    t.match(stdout, `[${phase}]`);
    t.notMatch(stdout, 'The cluster is up', `killed at ${phase}`);
  }
  const { stdout } = mustSucceed(await lab.k8ts('master', ['init']));
  t.match(stdout, /this machine is a master already; what is missing is added/);
  t.match(stdout, /The cluster is up/);
  t.match(await lab.kubectl(['get', 'nodes', '--no-headers']), /^master +Ready +control-plane /);
  t.equal(await lab.kubectl(['get', 'node', 'master', '-o', 'jsonpath={.spec.podCIDR}']), '10.50.0.0/24');
  const refused = await lab.k8ts('master', ['init', '--pod-network-cidr', '10.60.0.0/16']);
  t.match(refused, { code: 3, stderr: /CONFIG_FIXED/ });
  t.match(await lab.k8ts('master', ['init', 'phase', 'addon', 'coredns', '--dry-run']), {
    code: 3,
    stderr: /PHASE_ABSENT/,
  });
  t.match(await lab.k8ts('master', ['init', 'phase', 'certs', 'all']), { code: 0, stdout: /all are there already/ });
});

t.test('ways that a join can fail are told apart (more are in story.test.ts)', async (t) => {
  const { stdout: command } = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command']));
  const [endpoint = '', token = '', hash = ''] =
    /^k8ts join (\S+) --token (\S+) --discovery-token-ca-cert-hash (\S+)/.exec(command)?.slice(1) ?? [];
  const short = 'expire.0123456789abcdef';
  mustSucceed(await lab.k8ts('master', ['token', 'create', short, '--ttl', '1s']));
  const onlyLogin = 'nosign.0123456789abcdef';
  mustSucceed(await lab.k8ts('master', ['token', 'create', onlyLogin, '--usages', 'authentication']));
  const host = endpoint.replace(/:.*/, '');
  // The machine's own checks have tests of their own.
  const join = (...args: readonly string[]) => lab.k8ts('node1', ['join', ...args, '--skip-phases', 'preflight']);
  const pinned = (...args: readonly string[]) => join(...args, '--discovery-token-ca-cert-hash', hash);
  const cases: readonly {
    readonly what: string;
    readonly args: readonly string[];
    readonly code: string;
    readonly hint?: RegExp;
  }[] = [
    {
      what: 'unsigned',
      args: [endpoint, '--token', onlyLogin],
      code: 'TOKEN_UNSIGNED',
      hint: /what to do: .*k8ts token create/,
    },
    { what: 'wrong port', args: [`${host}:10250`, '--token', token], code: 'API_WRONG_PORT', hint: /:6443/ },
    { what: 'no such name', args: ['no-such-master.invalid', '--token', token], code: 'API_NAME_UNKNOWN' },
    {
      what: 'unreachable',
      args: ['10.89.0.250', '--token', token],
      code: 'API_UNREACHABLE',
      hint: /ping -c 3 10.89.0.250/,
    },
  ];
  for (const { what, args, code, hint } of cases) {
    const { code: exit, stderr } = await pinned(...args);
    t.equal(exit, 1, `${what}: ${stderr}`);
    t.match(stderr, `[${code}]`, what);
    if (hint !== undefined) t.match(stderr, hint, what);
  }
  await eventually('the token expires', 20_000, async () => {
    const { stderr } = await pinned(endpoint, '--token', short);
    // Once its Secret is deleted as well, nobody knows when it expired.
    return /\[TOKEN_(EXPIRED|UNKNOWN)\]/.test(stderr) || undefined;
  });
  const { stdout: string } = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-string']));
  t.match(await join(string.trim().slice(0, -7)), { code: 3, stderr: /JOIN_STRING_DAMAGED/ });
  t.match(await join(string.trim(), '--node-name', 'master'), { code: 2, stderr: /ERROR DuplicateHostname/ });
  t.equal((await lab.on('node1', ['ls', '/etc/kubernetes'])).code, 2, 'nothing was written by all of this');
});

t.test('a dry run, the join, and the join again', async (t) => {
  const { stdout } = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-string']));
  const string = stdout.trim();
  const dry = mustSucceed(await lab.k8ts('node1', ['join', string, '--dry-run']));
  t.match(dry.stdout, /This would be done:[\s\S]*write \/etc\/k8ts\/agent.json[\s\S]*start service k8ts-agent/);
  t.match(
    mustSucceed(await lab.k8ts('node1', ['join', string])).stdout,
    /This machine is node node1 of the cluster now/,
  );
  t.match(await lab.kubectl(['get', 'nodes', '--no-headers']), /^node1 +Ready /m);
  t.match(mustSucceed(await lab.k8ts('node1', ['join', string])).stdout, /node node1 of this cluster already/);
});

t.test('a clone of a machine is refused', async (t) => {
  const { stdout } = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-string']));
  const { stdout: id } = await lab.on('node1', ['cat', '/etc/machine-id']);
  mustSucceed(await lab.on('node2', ['sh', '-c', 'cat > /etc/machine-id'], { stdin: id }));
  const refused = await lab.k8ts('node2', ['join', stdout.trim()]);
  t.match(refused, { code: 2, stderr: /ERROR DuplicateMachineID.*node1[\s\S]*systemd-machine-id-setup/ });
});
