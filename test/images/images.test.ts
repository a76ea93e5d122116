import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { extract } from 'tar-stream';
import { createFakeHost } from '../../src/host/index.ts';
import { architectureOf, buildImage, entriesOfTree, importImages, pauseProgram } from '../../src/images/index.ts';

async function filesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}

t.test('an archive holds a manifest whose digests lead to the files, and is the same each time', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-image-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'hello'), 'hello', { mode: 0o755 });
  symlinkSync('hello', join(dir, 'link'));
  const spec = {
    name: 'k8ts.dev/hello:2',
    architecture: 'amd64',
    entries: entriesOfTree(dir),
    entrypoint: ['/hello'],
  } as const;
  const archive = await buildImage(spec);
  t.ok(archive.equals(await buildImage(spec)));

  const files = await filesOf(archive);
  const blob = (digest: string): Buffer => files.get(`blobs/${digest.replace(':', '/')}`) ?? Buffer.alloc(0);
  const index = JSON.parse(String(files.get('index.json')));
  t.equal(index.manifests[0].annotations['io.containerd.image.name'], 'k8ts.dev/hello:2');
  const manifest = JSON.parse(String(blob(index.manifests[0].digest)));
  t.match(JSON.parse(String(blob(manifest.config.digest))), {
    architecture: 'amd64',
    config: { Entrypoint: ['/hello'] },
  });
  const layer = await filesOf(blob(manifest.layers[0].digest));
  t.equal(String(layer.get('hello')), 'hello');
  t.ok(layer.has('link'));
});

t.test('a name without registry or tag, and a file that is not there, are refused', async (t) => {
  const spec = { architecture: 'amd64', entries: [] } as const;
  await t.rejects(buildImage({ ...spec, name: 'web' }), { code: 'IMAGE_NAME_INVALID' });
  await t.rejects(importImages(createFakeHost(), { criSocket: '/run/x.sock' }, ['/none.tar']), {
    code: 'IMAGE_FILE_MISSING',
  });
  t.throws(() => architectureOf('mips'), { code: 'ARCH_UNSUPPORTED' });
});

t.test('the pause program runs until it is killed', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-pause-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'pause');
  writeFileSync(file, pauseProgram(architectureOf(process.arch)), { mode: 0o755 });
  const child = spawn(file);
  await once(child, 'spawn');
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(child.exitCode, null);
  child.kill('SIGKILL');
  t.same(await once(child, 'exit'), [null, 'SIGKILL']);
});
