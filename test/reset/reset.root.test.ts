// A whole machine before `init` and after `reset`: files, links, rules, settings, mounts and processes are the same.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '../..');
const host = 'm1';

/** Everything outside of the container runtime's own folders. */
const snapshotScript = String.raw`
find /etc /var/lib /var/log /opt -xdev -not -path '/var/lib/containerd/*' -not -name containerd.log -printf '%p %m %y %s\n' | sort
find /var/lib/k8ts /var/log/k8ts /var/log/pods /run -not -path '/run/containerd*' -printf '%p %m %y\n' | sort
ip -br link | awk '{print $1}'; ip route; ip rule; nft list ruleset; iptables-save | grep -v '^[#:]'
sysctl -a 2>/dev/null | grep -E 'ip_forward |bridge-nf'
findmnt -rno TARGET | grep -v '^/run/netns/' | sort
ps -eo args --no-headers | grep -E 'k8ts|containerd' | grep -v grep | sort
`;

function lab(...args: readonly string[]) {
  return spawnSync(join(root, 'scripts/lab'), args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, LAB: `reset-${process.pid}` },
  });
}

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root');
} else {
  t.teardown(() => void lab('down'));

  t.test('reset gives back the machine as it was before init', async (t) => {
    const up = lab('up', host);
    t.equal(up.status, 0, up.stderr);
    const snapshot = () => lab('exec', host, 'bash', '-c', snapshotScript).stdout.split('\n');
    const k8ts = (...args: readonly string[]) => lab('exec', host, join(root, 'bin/k8ts'), ...args);
    const before = snapshot();

    const init = k8ts('init');
    t.equal(init.status, 0, init.stderr);
    t.not(snapshot().length, before.length, 'init left its traces');
    const again = k8ts('init');
    t.equal(again.status, 0, again.stderr);
    t.match(k8ts('status').stdout, /k8ts-server +running.*node +m1 +Ready/s);

    const reset = k8ts('reset', '--force');
    t.equal(reset.status, 0, reset.stderr);
    t.match(reset.stdout, /Taken back: .*files/);
    t.strictSame(snapshot(), before);
  });

  t.test('preflight stops init before anything is changed', async (t) => {
    const listen = `nohup ${process.execPath} -e 'require("net").createServer().listen(6443)' >/dev/null 2>&1 & sleep 0.5`;
    const holder = lab('exec', host, 'bash', '-c', listen);
    t.equal(holder.status, 0);
    const init = lab('exec', host, join(root, 'bin/k8ts'), 'init');
    t.equal(init.status, 2);
    t.match(init.stderr, /\[ERROR Port-6443\]: port 6443 is held by pid \d+ \(/);
    t.equal(lab('exec', host, 'ls', '/etc/kubernetes').status, 2, 'no file was written');
  });

  t.test('an unasked reset does nothing', async (t) => {
    const reset = lab('exec', host, join(root, 'bin/k8ts'), 'reset');
    t.equal(reset.status, 1);
    t.match(reset.stderr, /NOT_CONFIRMED/);
  });
}
