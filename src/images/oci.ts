// Makes an OCI image archive (one tar file, one layer) from files on this machine, so that a cluster can be tried and
// tested without a registry. Reproducible: same files, same bytes, same digest. Deliberately small: no build language, no
// base images; whoever needs those has other tools, and `k8ts image import` takes their archives too.
// Source: OCI image specification, image-layout.md, manifest.md, config.md.

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../base/index.ts';

export type LayerEntry =
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode: number }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export type Architecture = 'amd64' | 'arm64';

export interface ImageSpec {
  /** With registry and tag: `k8ts.dev/web:1`. */
  readonly name: string;
  readonly architecture: Architecture;
  readonly entries: readonly LayerEntry[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly exposedPorts?: readonly string[];
}

const layerBytesMax = 512 * 1024 * 1024;

/** The archive's bytes. */
export async function buildImage(spec: ImageSpec): Promise<Buffer> {
  if (!/^[\w.-]+(:\d+)?\/[\w./-]+:[\w.-]+$/.test(spec.name)) {
    throw new CodedError('IMAGE_NAME_INVALID', `image name ${JSON.stringify(spec.name)} lacks a registry or a tag`, {
      exit: 'invalidInput',
      hint: 'write it in full, such as k8ts.dev/web:1',
    });
  }
  const size = spec.entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.content.length : 0), 0);
  if (size > layerBytesMax) {
    throw new CodedError(
      'IMAGE_TOO_BIG',
      `${spec.name} has ${size} bytes of files; the builder takes ${layerBytesMax}`,
      {
        exit: 'invalidInput',
        hint: 'build it with a container build tool and import its archive',
      },
    );
  }
  const layer = await tar(spec.entries);
  const config = json({
    architecture: spec.architecture,
    os: 'linux',
    config: {
      ...(spec.entrypoint === undefined ? {} : { Entrypoint: spec.entrypoint }),
      ...(spec.cmd === undefined ? {} : { Cmd: spec.cmd }),
      ...(spec.user === undefined ? {} : { User: spec.user }),
      ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
      ...(spec.exposedPorts === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(spec.exposedPorts.map((port) => [port, {}])) }),
      Env: spec.env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        platform: { architecture: spec.architecture, os: 'linux' },
        annotations: { 'io.containerd.image.name': spec.name, 'org.opencontainers.image.ref.name': tagOf(spec.name) },
      },
    ],
  });
  const blob = (content: Buffer): LayerEntry => ({
    kind: 'file',
    path: `blobs/sha256/${digest(content).slice('sha256:'.length)}`,
    content,
    mode: 0o644,
  });
  return tar([
    { kind: 'file', path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }), mode: 0o644 },
    { kind: 'file', path: 'index.json', content: index, mode: 0o644 },
    blob(config),
    blob(manifest),
    blob(layer),
  ]);
}

/** Every file, folder and link below `dir`, in path order; other kinds of files are left out. */
export function entriesOfTree(dir: string, under = ''): LayerEntry[] {
  return readdirSync(join(dir, under))
    .sort()
    .flatMap((name): LayerEntry[] => {
      const path = join(under, name);
      const full = join(dir, path);
      const stat = lstatSync(full);
      const mode = stat.mode & 0o7777;
      if (stat.isSymbolicLink()) return [{ kind: 'link', path, target: readlinkSync(full) }];
      if (stat.isDirectory()) return [{ kind: 'directory', path, mode }, ...entriesOfTree(dir, path)];
      return stat.isFile() ? [{ kind: 'file', path, content: readFileSync(full), mode }] : [];
    });
}

async function tar(entries: readonly LayerEntry[]): Promise<Buffer> {
  const { default: stream } = await import('tar-stream'); // here, because an agent that finds its image packs nothing
  const archive = stream.pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  })();
  const same = { mtime: new Date(0), uid: 0, gid: 0 };
  for (const entry of entries) {
    if (entry.kind === 'file')
      archive.entry({ ...same, name: entry.path, mode: entry.mode }, Buffer.from(entry.content));
    else if (entry.kind === 'directory')
      archive.entry({ ...same, name: entry.path, type: 'directory', mode: entry.mode });
    else archive.entry({ ...same, name: entry.path, type: 'symlink', linkname: entry.target });
  }
  archive.finalize();
  await collected;
  return Buffer.concat(chunks);
}

function descriptor(mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digest(content), size: content.length };
}

function digest(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}
