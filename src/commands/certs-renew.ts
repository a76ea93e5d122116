import * as Args from '@oclif/core/args';
import { renewCertificates } from '../certs/index.ts';
import { dryRunFlag, hostToChange, placeFlags, placesOf, wouldBeDone } from './certs-flags.ts';
import { K8tsCommand } from './oclif.ts';

const words = {
  renewed: 'renewed',
  missing: 'is not there, and was not made',
  external: 'not renewed: the key of its CA is not here',
} as const;

export default class CertsRenew extends K8tsCommand {
  static override description =
    'Renews certificates of this control plane with what they say now: names, organizations, usages, kind of key. The control plane does so by itself when two thirds of their life are over, and takes over what this command makes; nothing has to be restarted.';
  static override examples = [
    '$ k8ts certs renew all',
    '$ k8ts certs renew apiserver admin.conf',
    '$ k8ts certs renew all --dry-run',
  ];
  static override strict = false;
  static override args = {
    name: Args.string({ required: true, description: '`all`, or names as certs check-expiration shows them' }),
  };
  static override flags = { ...placeFlags, 'dry-run': dryRunFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(CertsRenew);
    const names = argv.map(String);
    const { host, transcript } = hostToChange('certs renew', flags);
    const reports = await renewCertificates(host, names.includes('all') ? 'all' : names, placesOf(flags));
    if (transcript !== undefined) return this.print(wouldBeDone(transcript));
    for (const { name, action } of reports) this.print(`${name} ${words[action]}`);
  }
}
