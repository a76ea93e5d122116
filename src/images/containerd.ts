// Images in a host's container runtime. CRI can pull and list but not import, so importing goes through containerd's own
// `ctr` program, which is in the same package as the daemon.

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import type { Architecture } from './oci.ts';
import { buildPauseImage } from './pause.ts';

/** Where CRI keeps its images and containers inside containerd. */
const namespace = 'k8s.io';
const importTimeout = 300_000;

export interface RuntimeAddress {
  /** unix:///run/containerd/containerd.sock, or the path alone. */
  readonly criSocket: string;
}

/** Imports archives (OCI or docker-archive) into the runtime's image store; answers the image names, in order. */
export async function importImages(
  host: Host,
  at: RuntimeAddress,
  files: readonly string[],
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const file of files) {
    if ((await host.stat(file))?.kind !== 'file') {
      throw new CodedError('IMAGE_FILE_MISSING', `no image archive at ${file}`, {
        exit: 'invalidInput',
        hint: 'pass OCI or docker-archive tar files',
      });
    }
    names.push(...(await ctr(host, at, ['images', 'import', file], file)));
  }
  return names;
}

/** Makes sure that the runtime has the image its sandboxes start from, so that no registry is needed for it. */
export async function ensurePauseImage(host: Host, at: RuntimeAddress, sandboxImage: string): Promise<boolean> {
  const known = await ctr(host, at, ['images', 'list', '--quiet', `name==${sandboxImage}`], sandboxImage);
  if (known.length > 0) return false;
  await importArchive(host, at, await buildPauseImage(architectureOf(process.arch), sandboxImage), sandboxImage);
  return true;
}

async function importArchive(host: Host, at: RuntimeAddress, archive: Buffer, name: string): Promise<void> {
  await ctr(host, at, ['images', 'import', '-'], name, archive);
}

async function ctr(
  host: Host,
  at: RuntimeAddress,
  args: readonly string[],
  subject: string,
  stdin?: Uint8Array,
): Promise<readonly string[]> {
  const address = at.criSocket.replace(/^unix:\/\//, '');
  const result = await host.run('ctr', ['--address', address, '--namespace', namespace, ...args], {
    timeout: importTimeout,
    accept: [1],
    ...(stdin === undefined ? {} : { stdin }),
  });
  if (result.code === 0) {
    return result.stdout.split('\n').flatMap((line) => line.replace(/^unpacking (\S+) .*$/, '$1').trim() || []);
  }
  throw new CodedError('IMAGE_IMPORT_FAILED', `containerd did not take ${subject}: ${result.stderr.trim()}`, {
    hint: `check that containerd runs and answers on ${address}, and that the file is an image archive`,
  });
}

export function architectureOf(arch: string): Architecture {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new CodedError('ARCH_UNSUPPORTED', `k8ts runs on x86_64 and aarch64, not on ${arch}`, { exit: 'preflight' });
}
