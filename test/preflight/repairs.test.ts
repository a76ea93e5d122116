// What --fix does to a machine, and that reset takes it back: every repair runs on a machine in memory with a journal, the
// changes are undone, and the files are what they were.

import t from 'tap';
import { createFakeHost, undoChanges } from '../../src/host/index.ts';
import { applyFixes, checks, judge, type PreflightFacts } from '../../src/preflight/index.ts';
import { sound } from './sound.ts';

const signal = new AbortController().signal;
const containerd = (configFile: string) => ({
  program: 'containerd',
  configFile,
  mayRaisePriority: false,
  restrictsOomScore: true,
});

async function fix(given: Partial<PreflightFacts>, files: Readonly<Record<string, string>>) {
  const sysctls = { 'fs.inotify.max_user_instances': '64', 'fs.inotify.max_user_watches': '99999' };
  const host = createFakeHost({ files, sysctls });
  const facts = { ...sound, ...given };
  const said: string[] = [];
  const judged = judge(facts, [], checks);
  const done = await applyFixes({ host, facts, judged, say: (line) => said.push(line) }, signal);
  const after = { ...host.files() };
  const commands = [...host.commands];
  await undoChanges(host.bare, host.journal);
  return { done, said, after, commands, undone: host.files(), host };
}

t.test('swap goes off, and stays off', async (t) => {
  const fstab =
    '# a comment about swap\nUUID=1 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n#/old none swap sw 0 0\n';
  const files = { '/etc/fstab': fstab };
  const { done, said, after, commands, undone, host } = await fix({ swaps: ['/dev/sda2', '/swapfile'] }, files);
  t.strictSame(done, ['Swap']);
  t.match(said, [/^\[FIXED Swap\]: turns swap off/]);
  t.strictSame(commands, ['swapoff /dev/sda2', 'swapoff /swapfile']);
  t.match(after['/etc/fstab'], /^# off for k8ts: \/dev\/sda2 none swap/m);
  t.match(after['/etc/fstab'], /^UUID=1/m);
  t.strictSame(undone, files);
  t.strictSame(host.commands.slice(2), ['swapon /swapfile', 'swapon /dev/sda2']);
});

t.test('a machine without fstab can have swap as well', async (t) => {
  const { commands, after } = await fix({ swaps: ['/dev/zram0'] }, {});
  t.strictSame(commands, ['swapoff /dev/zram0']);
  t.strictSame(after, {});
});

t.test('the node’s name gets into /etc/hosts', async (t) => {
  const files = { '/etc/hosts': '127.0.0.1 localhost' };
  const { after, undone } = await fix({ nodeNameAddress: undefined }, files);
  t.equal(after['/etc/hosts'], '127.0.0.1 localhost\n192.0.2.10 master\n');
  t.strictSame(undone, files);
  const unknown = await fix({ nodeNameAddress: undefined, nodeIp: undefined }, files);
  t.match(unknown, { done: [], said: [/^\[NOT FIXED Hostname\]: the address of master is not known/], after: files });
});

t.test('limits of file watches are raised where they are low, and kept', async (t) => {
  const low = { ...sound.sysctls, 'fs.inotify.max_user_instances': '64', 'fs.inotify.max_user_watches': '99999' };
  const { after, undone, host } = await fix({ sysctls: low }, {});
  t.strictSame(after, { '/etc/sysctl.d/91-k8ts-limits.conf': 'fs.inotify.max_user_instances = 512\n' });
  t.strictSame(undone, {});
  t.equal(await host.readSysctl('fs.inotify.max_user_instances'), '64');
});

const disabled = { problem: { code: 'CRI_PLUGIN_DISABLED', message: 'no CRI', hint: undefined } };

t.test('containerd gets its CRI plugin on', async (t) => {
  const cases = [
    { name: 'Docker’s packages', given: 'disabled_plugins = ["cri"]\n', want: 'disabled_plugins = []\n' },
    {
      name: 'others stay',
      given: 'version = 2\ndisabled_plugins = ["aufs", "io.containerd.grpc.v1.cri", \'zfs\']\n# end\n',
      want: 'version = 2\ndisabled_plugins = ["aufs", \'zfs\']\n# end\n',
    },
    {
      name: 'the first of several',
      given: 'disabled_plugins = ["cri", "zfs"]\n',
      want: 'disabled_plugins = ["zfs"]\n',
    },
    {
      name: 'over several lines',
      given: 'disabled_plugins = [\n  "cri",\n  "zfs"\n]\n',
      want: 'disabled_plugins = [\n  "zfs"\n]\n',
    },
  ];
  for (const { name, given, want } of cases) {
    const files = { '/etc/c.toml': given };
    const { done, after, commands, undone } = await fix(
      { runtime: disabled, runtimeProcess: containerd('/etc/c.toml') },
      files,
    );
    t.strictSame(done, ['CRI'], name);
    t.equal(after['/etc/c.toml'], want, name);
    t.strictSame(commands, ['systemctl restart containerd'], name);
    t.strictSame(undone, files, name);
  }
});

t.test('what a person has to mend is left to him', async (t) => {
  const absent = { problem: { code: 'CRI_SOCKET_ABSENT', message: 'no socket', hint: undefined } };
  t.match(await fix({ runtime: absent, runtimeProcess: undefined }, {}), { done: [], said: [] });
  const crio = { ...containerd('/etc/crio.conf'), program: 'crio', restrictsOomScore: false };
  t.match(await fix({ runtimeProcess: crio }, {}), { done: [], said: [], after: {} });
});

t.test('without systemd the restart is asked for', async (t) => {
  const files = { '/etc/c.toml': 'disabled_plugins = ["cri"]\n' };
  const given = { runtime: disabled, runtimeProcess: containerd('/etc/c.toml'), hasSystemd: false };
  const { done, said, after, commands } = await fix(given, files);
  t.strictSame(done, []);
  t.match(said, [
    /^\[NOT FIXED CRI\]: \/etc\/c\.toml is changed, and containerd has to be restarted.*\n {4}fix: restart containerd/,
  ]);
  t.equal(after['/etc/c.toml'], 'disabled_plugins = []\n');
  t.strictSame(commands, []);
});

t.test('containerd is told to do without CAP_SYS_RESOURCE', async (t) => {
  const cri = '[plugins."io.containerd.grpc.v1.cri"]';
  const cases = [
    {
      name: 'no file',
      given: undefined,
      want: `version = 2\n\n[plugins."io.containerd.grpc.v1.cri"]\n  restrict_oom_score_adj = true\n`,
    },
    {
      name: 'no such section',
      given: 'version = 2\n[metrics]\n  address = ""\n',
      want: `version = 2\n[metrics]\n  address = ""\n\n${cri}\n  restrict_oom_score_adj = true\n`,
    },
    {
      name: 'the section, without the key',
      given: `version = 2\n${cri}\n  sandbox_image = "x"\n  [plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/x"\n`,
      want: `version = 2\n${cri}\n  restrict_oom_score_adj = true\n  sandbox_image = "x"\n  [plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/x"\n`,
    },
    {
      name: 'another value, with a comment',
      given: `version = 2\n${cri} # ours\n  restrict_oom_score_adj = false # default\n`,
      want: `version = 2\n${cri} # ours\n  restrict_oom_score_adj = true # default\n`,
    },
    {
      name: 'the first version',
      given: 'disabled_plugins = []\n',
      want: 'disabled_plugins = []\n\n[plugins.cri]\n  restrict_oom_score_adj = true\n',
    },
    {
      name: 'version 3',
      given: "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n",
      want: "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n  restrict_oom_score_adj = true\n",
    },
  ];
  for (const { name, given, want } of cases) {
    const files: Readonly<Record<string, string>> = given === undefined ? {} : { '/etc/c.toml': given };
    const process = { ...containerd('/etc/c.toml'), restrictsOomScore: false };
    const { after, undone } = await fix({ runtimeProcess: process }, files);
    t.equal(after['/etc/c.toml'], want, name);
    t.strictSame(undone, files, name);
  }
});

t.test('containerd is told to use systemd’s cgroups, or not to', async (t) => {
  const runc = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]';
  const section = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]';
  const typed = `${runc}\n  runtime_type = "io.containerd.runc.v2"\n`;
  const runtime = { name: 'containerd', version: '1.7.0', conditions: [], cgroupDriver: 'cgroupfs' } as const;
  const process = containerd('/etc/c.toml');
  const given = `version = 2\n${typed}${section}\n  SystemdCgroup = false\n`;
  const on = await fix({ runtime, runtimeProcess: process }, { '/etc/c.toml': given });
  t.equal(on.after['/etc/c.toml'], `version = 2\n${typed}${section}\n  SystemdCgroup = true\n`);
  const wrong = { runtime: { ...runtime, cgroupDriver: 'systemd' }, hasSystemd: false } as const;
  const off = await fix({ ...wrong, runtimeProcess: process }, { '/etc/c.toml': 'version = 2\n' });
  t.equal(off.after['/etc/c.toml'], `version = 2\n\n${typed}\n${section}\n  SystemdCgroup = false\n`);
});
