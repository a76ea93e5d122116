// What the repairs write is judged by containerd itself: it reads the file and prints the configuration that follows.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { createLocalHost } from '../../src/host/index.ts';
import type { PreflightFacts } from '../../src/preflight/index.ts';
import { enableCri, restrictOomScore, useSystemdCgroups } from '../../src/preflight/repairs/containerd.ts';
import { sound } from './sound.ts';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'k8ts-containerd-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const { stdout: byDefault } = await run('containerd', ['config', 'default']);

/** The configuration that containerd works with after `repair`. @param text its file before; undefined: there is none */
async function configAfter(repair: typeof enableCri, name: string, text: string | undefined): Promise<string> {
  const configFile = join(folder, `${name}.toml`);
  if (text !== undefined) await writeFile(configFile, text);
  const runtimeProcess = { program: 'containerd', configFile, mayRaisePriority: false, restrictsOomScore: false };
  const facts: PreflightFacts = { ...sound, runtimeProcess };
  const local = createLocalHost();
  // The machine's own containerd is left alone.
  const host = { ...local, run: async () => ({ code: 0, stdout: '', stderr: '' }) };
  await repair.run(host, facts, new AbortController().signal);
  return (await run('containerd', ['--config', configFile, 'config', 'dump'])).stdout;
}

t.test('the CRI plugin is on again', async (t) => {
  const docker = 'disabled_plugins = ["cri", "io.containerd.snapshotter.v1.zfs"]\n';
  const found = await configAfter(enableCri, 'docker', docker);
  t.match(found, /^disabled_plugins = \["io\.containerd\.snapshotter\.v1\.zfs"\]$/m);
});

t.test('settings get where containerd reads them, whatever the file was', async (t) => {
  t.match(byDefault, /restrict_oom_score_adj = false/);
  t.match(byDefault, /SystemdCgroup = false/);
  const files = [
    { name: 'no-file', text: undefined },
    { name: 'empty', text: 'version = 2\n' },
    { name: 'first-version', text: 'disabled_plugins = []\n' },
    { name: 'all-defaults', text: byDefault },
  ];
  for (const { name, text } of files) {
    const oom = await configAfter(restrictOomScore, `oom-${name}`, text);
    t.equal(oom.match(/restrict_oom_score_adj = true/g)?.length, 1, name);
    const driver = await configAfter(useSystemdCgroups, `driver-${name}`, text);
    t.equal(driver.match(/SystemdCgroup = true/g)?.length, 1, name);
    t.equal(driver.match(/runtime_type = "io\.containerd\.runc\.v2"/g)?.length, 1, name);
  }
});
