// Makes the container images of the demo and the tests as OCI archives in .cache/images, from Debian packages of this
// machine's own release. No registry is involved. An archive that is there already is kept; --force makes all anew.
// usage: node scripts/build-images.ts [--force]

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  architectureOf,
  buildImage,
  buildPauseImage,
  entriesOfTree,
  type LayerEntry,
  pauseImageName,
} from '../src/images/index.ts';

interface DemoImage {
  readonly file: string;
  readonly name: string;
  /** Debian packages whose files make up the image; dependencies are named, not resolved. */
  readonly packages: readonly string[];
  readonly files: readonly LayerEntry[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
}

const text = (path: string, content: string, mode = 0o644): LayerEntry => ({
  kind: 'file',
  path,
  content: Buffer.from(content),
  mode,
});
const link = (path: string, target: string): LayerEntry => ({ kind: 'link', path, target });
const dir = (path: string, mode = 0o755): LayerEntry => ({ kind: 'directory', path, mode });

const libc = ['libc6', 'libcrypt1'] as const;
const nginx = [...libc, 'nginx', 'libpcre2-8-0', 'libssl3', 'zlib1g'] as const;
const curl = [
  'curl',
  'libcurl4',
  'libbrotli1',
  'libcom-err2',
  'libgmp10',
  'libgnutls30',
  'libgssapi-krb5-2',
  'libhogweed6',
  'libidn2-0',
  'libk5crypto3',
  'libkeyutils1',
  'libkrb5-3',
  'libkrb5support0',
  'libldap-2.5-0',
  'libnettle8',
  'libnghttp2-14',
  'libp11-kit0',
  'libffi8',
  'libpsl5',
  'librtmp1',
  'libsasl2-2',
  'libssh2-1',
  'libtasn1-6',
  'libunistring2',
  'libzstd1',
] as const;

const accounts: readonly LayerEntry[] = [
  text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
  text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
  dir('tmp', 0o1777),
  dir('root', 0o700),
];
/** dash is the shell: busybox's own runs its applets instead of what PATH names. */
const applets = [
  'cat',
  'date',
  'echo',
  'env',
  'hostname',
  'id',
  'ip',
  'kill',
  'ls',
  'mkdir',
  'nc',
  'nslookup',
  'ping',
  'ps',
  'sleep',
  'stty',
  'tar',
  'test',
  'touch',
  'true',
  'false',
  'tty',
  'wc',
  'grep',
  'head',
  'mount',
  'rm',
];
const shell: readonly LayerEntry[] = [link('bin/sh', 'dash'), ...applets.map((name) => link(`bin/${name}`, 'busybox'))];

const nginxConf = `worker_processes 1;
error_log /dev/stderr;
pid /tmp/nginx.pid;
events { worker_connections 256; }
http {
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  access_log /dev/stdout;
  default_type text/plain;
  server { listen 80; root /srv; }
}
`;

const web = (version: number): DemoImage => ({
  file: `web-${version}.tar`,
  name: `k8ts.dev/web:${version}`,
  packages: [...new Set([...nginx, ...curl, 'dash', 'busybox-static'])],
  files: [...accounts, ...shell, dir('srv'), text('etc/nginx/nginx.conf', nginxConf)],
  entrypoint: ['/bin/sh', '-c'],
  cmd: [`echo "version ${version} from pod $(hostname)" > /srv/index.html; exec nginx -g "daemon off;"`],
});

const images: readonly DemoImage[] = [
  web(1),
  web(2),
  {
    file: 'busybox.tar',
    name: 'k8ts.dev/busybox:1',
    packages: ['busybox-static', 'dash', ...libc],
    files: [...accounts, ...shell],
    cmd: ['/bin/sh'],
  },
];

const cache = join(import.meta.dirname, '..', '.cache');
const out = join(cache, 'images');
const debs = join(cache, 'debs');
const force = process.argv.includes('--force');
mkdirSync(out, { recursive: true });
mkdirSync(debs, { recursive: true });

const wanted = images.filter(({ file }) => force || !existsSync(join(out, file)));
fetchPackages([...new Set(wanted.flatMap(({ packages }) => packages))]);
for (const image of wanted) await build(image);
const pause = join(out, 'pause.tar');
if (force || !existsSync(pause)) {
  write(pause, await buildPauseImage(architectureOf(process.arch)));
  console.error(`image ${pauseImageName}`);
}

async function build(image: DemoImage): Promise<void> {
  const tree = mkdtempSync(join(tmpdir(), 'k8ts-image-'));
  try {
    for (const name of image.packages) execFileSync('dpkg-deb', ['-x', debOf(name), tree]);
    const entries = [...entriesOfTree(tree).filter(({ path }) => !isDocumentation(path)), ...image.files];
    const { file, packages: _packages, files: _files, ...spec } = image;
    write(
      join(out, file),
      await buildImage({ ...spec, architecture: architectureOf(process.arch), entries: lastWins(entries) }),
    );
    console.error(`image ${image.name}`);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Two entries for one path: the later one. */
function lastWins(entries: readonly LayerEntry[]): LayerEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

function isDocumentation(path: string): boolean {
  return /^usr\/share\/(doc|man|locale|lintian|bug)(\/|$)/.test(path) || /^usr\/lib\/[^/]+\/gconv\//.test(path);
}

function fetchPackages(names: readonly string[]): void {
  const missing = names.filter((name) => findDeb(name) === undefined);
  if (missing.length === 0) return;
  const download = (): void => {
    execFileSync('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', ...missing], {
      cwd: debs,
      stdio: 'pipe',
    });
  };
  try {
    download();
  } catch {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'pipe' }); // no package lists yet, or old ones
    download();
  }
}

function findDeb(name: string): string | undefined {
  const file = readdirSync(debs).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'));
  return file === undefined ? undefined : join(debs, file);
}

function debOf(name: string): string {
  const file = findDeb(name);
  if (file === undefined) throw new Error(`no package ${name} in ${debs}`);
  return file;
}

function write(file: string, content: Buffer): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}
