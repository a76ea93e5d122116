// Which of the two keeps the services of this machine: systemd where it is PID 1, else the supervisor.

import type { Host } from './host.ts';
import type { Services } from './services.ts';
import { createSupervisedServices, type SupervisorPaths, supervisorPaths } from './supervised-services.ts';
import { createSystemdServices } from './systemd-services.ts';

export interface ServicesOptions {
  /** How to run this k8ts: node and script, both absolute. The supervisor is started as `…program run supervisor`. */
  readonly program: readonly string[];
  /** Default: systemd where it is PID 1 and the supervisor was not chosen at install time. */
  readonly kind?: 'systemd' | 'supervisor' | undefined;
  readonly paths?: SupervisorPaths;
}

export async function createServices(host: Host, options: ServicesOptions): Promise<Services> {
  const { program, paths = supervisorPaths } = options;
  const kind = options.kind ?? (await detectKind(host, paths));
  return kind === 'systemd' ? createSystemdServices(host) : createSupervisedServices(host, { program, paths });
}

/** sd_booted(3): systemd is the init system when /run/systemd/system is a folder. */
async function detectKind(host: Host, paths: SupervisorPaths): Promise<'systemd' | 'supervisor'> {
  if ((await host.stat(paths.specDir)) !== undefined) return 'supervisor';
  return (await host.stat('/run/systemd/system'))?.kind === 'directory' ? 'systemd' : 'supervisor';
}
