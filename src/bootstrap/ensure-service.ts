// Makes a service run with the files and the version of k8ts that it shall have. One that runs with others is stopped before
// they are written: killed in between, the next run finds it stopped and starts it, and none goes on with settings that no
// file holds. Pods are not its children and run on.

import type { Host, ServiceSpec, Services } from '../host/index.ts';

interface WantedFile {
  readonly path: string;
  readonly content: string;
  /** Default 0o644. */
  readonly mode?: number;
}

export interface EnsureService {
  readonly host: Host;
  readonly services: Services;
  readonly spec: ServiceSpec;
  /** What it reads at its start. */
  readonly files: readonly WantedFile[];
}

/** Idempotent. Returns before the service is ready. */
export async function ensureService({ host, services, spec, files }: EnsureService): Promise<void> {
  const { state, pid } = await services.status(spec.name);
  const isActive = state !== 'absent' && state !== 'stopped';
  if (isActive && !((await areThere(host, files)) && (await isProgram(host, pid, spec.command[0]))))
    await services.stop(spec.name);
  for (const { path, content, mode = 0o644 } of files) await host.writeFile(path, content, { mode });
  await services.install(spec);
  await services.start(spec.name);
}

/** False when the process runs from a version that has been replaced, or removed. */
async function isProgram(host: Host, pid: number | undefined, program: string | undefined): Promise<boolean> {
  if (pid === undefined || program === undefined) return true;
  // A process that ended meanwhile has no /proc entry, and is started by whoever keeps the service.
  const { stdout } = await host.run('readlink', ['-f', `/proc/${pid}/exe`, program], { accept: [1] });
  const [running, wanted = running] = stdout.trim().split('\n');
  return running === wanted;
}

async function areThere(host: Host, files: readonly WantedFile[]): Promise<boolean> {
  const same = files.map(
    async ({ path, content }) => (await host.readFileIfExists(path))?.toString('utf8') === content,
  );
  return (await Promise.all(same)).every(Boolean);
}
