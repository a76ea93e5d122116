import * as Flags from '@oclif/core/flags';
import { requestCertificates } from '../certs/index.ts';
import { certContextOf } from '../init/index.ts';
import {
  dryRunFlag,
  hostToChange,
  initConfigFlag,
  initConfigOf,
  placeFlags,
  placesOf,
  wouldBeDone,
} from './certs-flags.ts';
import { K8tsCommand } from './oclif.ts';

const etcdFlag = Flags.boolean({ summary: 'Also what etcd and its clients need, of a CA of their own' });

export default class CertsGenerateCsr extends K8tsCommand {
  static override description =
    'Makes keys and certificate signing requests for everything that the control plane needs, for a CA whose key is elsewhere: NAME.key and NAME.csr in the certificate folder; kubeconfigs with a key, and KUBECONFIG.csr. Have the requests signed, put each certificate beside its key as NAME.crt or into the kubeconfig, and ca.crt and front-proxy-ca.crt with them; then run k8ts init.';
  static override examples = [
    '$ k8ts certs generate-csr',
    '$ k8ts certs generate-csr --config cluster.yaml --cert-dir ./pki --kubeconfig-dir ./conf',
  ];
  static override flags = { ...placeFlags, config: initConfigFlag, etcd: etcdFlag, 'dry-run': dryRunFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(CertsGenerateCsr);
    const config = await initConfigOf(flags.config);
    const { host, transcript } = hostToChange('certs generate-csr', flags);
    const requests = await requestCertificates(host, {
      context: certContextOf(config),
      ...placesOf(flags),
      bindPort: config.bindPort,
      algorithm: config.certificates.algorithm,
      etcd: flags.etcd,
    });
    this.print(transcript === undefined ? requests.join('\n') : wouldBeDone(transcript));
  }
}
