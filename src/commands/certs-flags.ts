// What the commands about certificates share.

import * as Flags from '@oclif/core/flags';
import type { CertificatePlaces } from '../certs/index.ts';
import { type InitConfig, kubernetesDir, paths, resolveInitConfig } from '../config/index.ts';
import { createFileJournal, createLocalHost, createRecordingHost, type Host } from '../host/index.ts';
import { baseDocument } from './init-flags.ts';
import { requireRoot } from './machine.ts';

export const placeFlags = {
  'cert-dir': Flags.string({ summary: 'Folder of the certificates', default: paths.pki }),
  'kubeconfig-dir': Flags.string({ summary: 'Folder of the kubeconfigs', default: kubernetesDir }),
} as const;

export const dryRunFlag = Flags.boolean({ summary: 'Change nothing; print what would be done' });

export const initConfigFlag = Flags.string({ summary: 'Configuration file; default: the one of the last k8ts init' });

export function placesOf(flags: Readonly<Record<keyof typeof placeFlags, string>>): CertificatePlaces {
  return { certDir: flags['cert-dir'], kubeconfigDir: flags['kubeconfig-dir'] };
}

interface ChangedHost {
  readonly host: Host;
  /** With --dry-run: what would have been done. */
  readonly transcript: readonly string[] | undefined;
}

/**
 * This machine, with its journal, so that reset takes back what is made; or a recorder. Folders that a person names are
 * theirs: nothing is noted about them, and whoever may write there may use the command.
 * @throws CodedError NOT_ROOT
 */
export function hostToChange(
  command: string,
  flags: { readonly 'dry-run': boolean } & Readonly<Record<keyof typeof placeFlags, string>>,
): ChangedHost {
  if (flags['dry-run']) {
    const host = createRecordingHost(createLocalHost());
    return { host, transcript: host.transcript };
  }
  const isOfMachine = flags['cert-dir'] === paths.pki || flags['kubeconfig-dir'] === kubernetesDir;
  if (!isOfMachine) return { host: createLocalHost(), transcript: undefined };
  requireRoot(command);
  return { host: createLocalHost({ journal: createFileJournal() }), transcript: undefined };
}

/** What this cluster was, or shall be, made with. */
export async function initConfigOf(config: string | undefined): Promise<InitConfig> {
  const local = createLocalHost();
  const { document } = await baseDocument(config, local);
  return await resolveInitConfig(local, document, config ?? paths.clusterDocument);
}

/** Lines of a dry run, for the person. */
export function wouldBeDone(transcript: readonly string[]): string {
  return ['This would be done:', ...transcript.map((step) => `  ${step}`)].join('\n');
}
