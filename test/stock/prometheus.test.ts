// Debian's Prometheus reads /metrics of the API server with a client certificate. (Its service discovery for Kubernetes
// cannot be a judge: Debian builds it without.)

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import t from 'tap';
import { freePort, startControlPlane } from './control-plane.ts';

const program = join(import.meta.dirname, '..', '..', '.cache', 'bin', 'prometheus');
const skip = existsSync(program) ? false : `${program} is not there: run scripts/setup`;
const waitMs = 20_000;

interface Target {
  readonly health: string;
  readonly lastError: string;
}

t.test('Prometheus reads the metrics of the API server', { skip }, async (t) => {
  const { folder, kubeconfig, url, close } = await startControlPlane();
  t.teardown(close);
  const port = await freePort();
  const job = {
    job_name: 'apiserver',
    scheme: 'https',
    scrape_interval: '1s',
    tls_config: await identityFiles(kubeconfig, folder),
    static_configs: [{ targets: [new URL(url).host] }],
  };
  const config = join(folder, 'prometheus.json');
  await writeFile(config, JSON.stringify({ scrape_configs: [job] }));
  const prometheus = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  t.teardown(() => ended(prometheus));
  const ask = async <Answer>(path: string): Promise<Answer | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as { data: Answer }).data : undefined;
  };
  const deadline = Date.now() + waitMs;
  let target: Target | undefined;
  while (target?.health !== 'up' && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    target = (await ask<{ activeTargets: Target[] }>('targets'))?.activeTargets[0];
  }
  t.match(target, { health: 'up', lastError: '' });
  const counted = await ask<{ result: { metric: Record<string, string> }[] }>(
    `query?query=${encodeURIComponent('apiserver_request_total{verb="LIST"}')}`,
  );
  t.ok((counted?.result.length ?? 0) > 0, 'requests are counted under the name of upstream');
});

/** The administrator's certificate as files. */
async function identityFiles(kubeconfig: string, folder: string): Promise<Record<string, string>> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const user = config.getCurrentUser();
  const content = { ca_file: config.getCurrentCluster()?.caData, cert_file: user?.certData, key_file: user?.keyData };
  const entries = Object.entries(content).map(([name, data = '']) => [name, join(folder, name), data] as const);
  for (const [, path, data] of entries) await writeFile(path, Buffer.from(data, 'base64'), { mode: 0o600 });
  return Object.fromEntries(entries.map(([name, path]) => [name, path]));
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
