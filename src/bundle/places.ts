// Where an installed k8ts is. One folder per version and one link to the version in use: an update is a new folder and one
// rename, a running process keeps its files, and going back is the same rename. /usr/local was refused for the program
// itself, because its folders are everybody's and could not be removed as a whole.
//
//   /opt/k8ts/0.1.0-1f2e3d4c5b6a/   bundle.json  bin/k8ts  bin/node  dist/…  LICENSE
//   /opt/k8ts/current               -> 0.1.0-1f2e3d4c5b6a
//   /opt/k8ts/archives/             archives that this machine serves to others
//   /usr/local/bin/k8ts             -> /opt/k8ts/current/bin/k8ts

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';

export const installDir = '/opt/k8ts';
export const currentLink = `${installDir}/current`;
export const archiveDir = `${installDir}/archives`;
export const commandLink = '/usr/local/bin/k8ts';

/** What an installed version says of itself: bundle.json, written when the folder is complete. */
export interface Manifest {
  /** The folder's name: the version, and the first digits of a hash over the program. */
  readonly name: string;
  readonly version: string;
  readonly architecture: BundleArchitecture;
  readonly node: string;
}

/** As Node calls it. */
export type BundleArchitecture = 'x64' | 'arm64';

/** How services start the installed program: the link stays when the version changes. @param flags for Node */
export function installedProgram(flags: readonly string[] = []): readonly string[] {
  return [`${currentLink}/bin/node`, ...flags, `${currentLink}/dist/k8ts.js`];
}

/** What is installed and in use on a host; undefined: nothing. */
export async function installedManifest(host: Pick<Host, 'readFileIfExists'>): Promise<Manifest | undefined> {
  const text = await host.readFileIfExists(`${currentLink}/bundle.json`);
  return text === undefined ? undefined : (JSON.parse(text.toString('utf8')) as Manifest);
}

/** The architecture of the Node that runs this. @throws CodedError ARCH_UNSUPPORTED */
export function architectureOfThis(): BundleArchitecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new CodedError('ARCH_UNSUPPORTED', `k8ts runs on x86_64 and aarch64, not on ${process.arch}`, {
    exit: 'preflight',
  });
}
