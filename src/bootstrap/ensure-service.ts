// Makes a service run with the files that it shall have. One that runs with other ones is stopped before they are written:
// killed in between, the next run finds it stopped and starts it, and none goes on with settings that no file holds.

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
  const { state } = await services.status(spec.name);
  const isActive = state !== 'absent' && state !== 'stopped';
  if (isActive && !(await areThere(host, files))) await services.stop(spec.name);
  for (const { path, content, mode = 0o644 } of files) await host.writeFile(path, content, { mode });
  await services.install(spec);
  await services.start(spec.name);
}

async function areThere(host: Host, files: readonly WantedFile[]): Promise<boolean> {
  const same = files.map(
    async ({ path, content }) => (await host.readFileIfExists(path))?.toString('utf8') === content,
  );
  return (await Promise.all(same)).every(Boolean);
}
