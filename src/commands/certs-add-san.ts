import * as Args from '@oclif/core/args';
import { dump, load } from 'js-yaml';
import { CodedError } from '../base/index.ts';
import { readInventory, renewHeld } from '../certs/index.ts';
import { paths, readInitFile } from '../config/index.ts';
import type { Host } from '../host/index.ts';
import { dryRunFlag, hostToChange, placeFlags, placesOf, wouldBeDone } from './certs-flags.ts';
import { K8tsCommand } from './oclif.ts';

export default class CertsAddSan extends K8tsCommand {
  static override description =
    "Adds names and addresses to the API server's certificate, which is taken over without a restart, and keeps them for the next k8ts init.";
  static override examples = [
    '$ k8ts certs add-san api.example.org',
    '$ k8ts certs add-san 203.0.113.7 api.example.net',
  ];
  static override strict = false;
  static override args = {
    name: Args.string({ required: true, description: 'DNS name or address; several may be given' }),
  };
  static override flags = { ...placeFlags, 'dry-run': dryRunFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(CertsAddSan);
    const names = argv.map((word) => soundName(String(word)));
    const { host, transcript } = hostToChange('certs add-san', flags);
    const places = placesOf(flags);
    const held = (await readInventory(host, places)).find(({ name }) => name === 'apiserver');
    const have = held?.certificate === undefined ? [] : [...held.certificate.dnsNames, ...held.certificate.ipAddresses];
    const missing = names.filter((name) => !have.includes(name));
    if (held?.certificate === undefined) {
      throw new CodedError('CERTIFICATE_ABSENT', `there is no usable ${places.certDir}/apiserver.crt`, {
        hint: 'this is done on a control plane node; k8ts init makes one',
      });
    }
    if (missing.length > 0) await renewHeld(host, held, places, missing);
    if (places.certDir === paths.pki) await keepNames(host, names);
    if (transcript !== undefined) this.print(wouldBeDone(transcript));
    else
      this.print(missing.length === 0 ? 'it has them all already' : `apiserver is valid for ${missing.join(', ')} too`);
  }
}

/** @throws CodedError CERTIFICATE_NAME_INVALID */
function soundName(name: string): string {
  if (/^(\*\.)?[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$/.test(name) || /^[0-9a-fA-F:]+:[0-9a-fA-F:.]*$/.test(name))
    return name;
  throw new CodedError('CERTIFICATE_NAME_INVALID', `"${name}" is neither a DNS name nor an address`, {
    exit: 'invalidInput',
    hint: 'give names without scheme and port: api.example.org',
  });
}

/** In what the last init was told, so that the next one asks for the same. */
async function keepNames(host: Host, names: readonly string[]): Promise<void> {
  const text = (await host.readFileIfExists(paths.clusterDocument))?.toString('utf8');
  if (text === undefined) return;
  const { document } = readInitFile(text, paths.clusterDocument);
  const certSans = [...new Set([...(document.apiServer?.certSans ?? []), ...names])];
  const root = load(text) as { readonly apiServer?: object };
  const next = { ...root, apiServer: { ...root.apiServer, certSans } };
  await host.writeFile(paths.clusterDocument, dump(next, { lineWidth: -1 }), { mode: 0o600 });
}
