// Installs the program that runs now on the machine that it runs on, from its checkout or unpacked folder: init and join do
// so before they start services, so that the checkout may be deleted afterwards. A copy, not an archive: nothing is
// compressed, and it takes a tenth of a second.

import { dirname, join } from 'node:path';
import type { Host } from '../host/index.ts';
import { findBundle } from './archive.ts';
import { archiveDir, commandLink, currentLink, installDir } from './places.ts';
import { codeCache, isInstalled, manifestText, type ProgramTree } from './tree.ts';

/** Makes `tree` the current version; does nothing when it is. Every change is in the host's journal. */
export async function installTree(host: Host, tree: ProgramTree): Promise<void> {
  const { root, manifest } = tree;
  if (root === currentLink) return;
  const target = `${installDir}/${manifest.name}`;
  await host.makeDir(archiveDir);
  if (!isInstalled(root) && (await host.stat(`${target}/bundle.json`)) === undefined)
    await copyTree(host, tree, target);
  await host.record({ kind: 'directory', path: target });
  await host.record({ kind: 'file', path: currentLink, before: null });
  await host.run('ln', ['-sfn', manifest.name, `${installDir}/.current`]);
  await host.run('mv', ['-fT', `${installDir}/.current`, currentLink]);
  await linkCommand(host);
  if (!isInstalled(root)) await keepArchives(host, tree);
}

/** Archives that were made of this very program are kept for machines that will ask for them. */
async function keepArchives(host: Host, { root, manifest }: ProgramTree): Promise<void> {
  const from = join(root, 'dist/bundle');
  for (const architecture of ['x64', 'arm64'] as const) {
    const bundle = await findBundle(from, architecture);
    if (bundle?.name !== manifest.name) continue;
    await host.run('cp', ['--reflink=auto', bundle.path, `${from}/linux-${architecture}.json`, archiveDir]);
  }
}

/** Complete or not there: bundle.json is in it before it gets its name. */
async function copyTree(host: Host, { root, manifest, files }: ProgramTree, target: string): Promise<void> {
  const fresh = `${installDir}/.new-${manifest.name}`;
  await host.run('rm', ['-rf', fresh, target]);
  await host.makeDir(`${fresh}/bin`);
  const inPlace = files.filter(({ path, source }) => source === join(root, path)).map(({ path }) => path);
  await host.run('cp', ['--reflink=auto', '--parents', '-t', fresh, ...inPlace], { cwd: root });
  for (const { path, source } of files) {
    if (source !== join(root, path)) await host.run('cp', ['--reflink=auto', source, `${fresh}/${path}`]);
  }
  // What V8 has compiled already, so that the first start here is as quick as a later one.
  if ((await host.stat(join(root, codeCache))) !== undefined)
    await host.run('cp', ['-r', '--parents', '-t', fresh, codeCache], { cwd: root });
  await host.writeFile(`${fresh}/bundle.json`, manifestText(manifest));
  await host.run('chmod', ['-R', 'a+rX', fresh]);
  await host.run('mv', ['-T', fresh, target]);
}

/** `k8ts` in PATH, unless somebody else has something there. */
async function linkCommand(host: Host): Promise<void> {
  if ((await host.stat(commandLink)) !== undefined) return;
  await host.makeDir(dirname(commandLink));
  await host.record({ kind: 'file', path: commandLink, before: null });
  await host.run('ln', ['-s', `${currentLink}/bin/k8ts`, commandLink]);
}
