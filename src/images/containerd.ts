// Images in a host's container runtime. CRI can pull and list but not import, so importing goes through containerd's own
// `ctr` program, which is in the same package as the daemon.

import { CodedError } from '../base/index.ts';
import type { CommandResult, Host } from '../host/index.ts';
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

/** Imports an archive that was built in memory. @param name for errors */
export async function importArchive(host: Host, at: RuntimeAddress, archive: Buffer, name: string): Promise<void> {
  await ctr(host, at, ['images', 'import', '-'], name, archive);
}

/**
 * Writes images of the runtime into one OCI archive, which appears when it is complete.
 * @throws CodedError IMAGE_NOT_FOUND, IMAGE_EXPORT_FAILED
 */
export async function exportImages(
  host: Host,
  at: RuntimeAddress,
  { images, file }: { readonly images: readonly string[]; readonly file: string },
): Promise<void> {
  const known = await ctr(host, at, ['images', 'list', '--quiet'], 'the list of images');
  const missing = images.filter((image) => !known.includes(image));
  if (missing.length > 0) {
    throw new CodedError('IMAGE_NOT_FOUND', `the runtime has no image ${missing.join(', ')}`, {
      exit: 'invalidInput',
      hint: 'k8ts image list shows the names, with registry and tag',
    });
  }
  const partial = `${file}.partial`;
  const result = await runCtr(host, at, ['images', 'export', partial, ...images]);
  if (result.code === 0) return void (await host.run('mv', ['-f', partial, file]));
  await host.remove(partial);
  throw new CodedError('IMAGE_EXPORT_FAILED', `containerd did not write ${file}: ${result.stderr.trim()}`, {
    hint: 'check that the folder exists and its disk has room; parts of an image that were never pulled cannot be exported',
  });
}

async function ctr(
  host: Host,
  at: RuntimeAddress,
  args: readonly string[],
  subject: string,
  stdin?: Uint8Array,
): Promise<readonly string[]> {
  const result = await runCtr(host, at, args, stdin);
  if (result.code === 0) {
    return result.stdout.split('\n').flatMap((line) => line.replace(/^unpacking (\S+) .*$/, '$1').trim() || []);
  }
  throw new CodedError('IMAGE_IMPORT_FAILED', `containerd did not take ${subject}: ${result.stderr.trim()}`, {
    hint: `check that containerd runs and answers on ${addressOf(at)}, and that the file is an image archive`,
  });
}

function runCtr(host: Host, at: RuntimeAddress, args: readonly string[], stdin?: Uint8Array): Promise<CommandResult> {
  return host.run('ctr', ['--address', addressOf(at), '--namespace', namespace, ...args], {
    timeout: importTimeout,
    accept: [1],
    ...(stdin === undefined ? {} : { stdin }),
  });
}

function addressOf({ criSocket }: RuntimeAddress): string {
  return criSocket.replace(/^unix:\/\//, '');
}

export function architectureOf(arch: string): Architecture {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new CodedError('ARCH_UNSUPPORTED', `k8ts runs on x86_64 and aarch64, not on ${arch}`, { exit: 'preflight' });
}
