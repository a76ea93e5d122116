import { randomBytes } from 'node:crypto';
import { K8tsCommand } from './oclif.ts';

export default class CertsCertificateKey extends K8tsCommand {
  static override description =
    'Prints a random key of 32 bytes in hex, of the kind that kubeadm encrypts uploaded certificates with. It is not stored.';
  static override examples = ['$ k8ts certs certificate-key'];

  async run(): Promise<void> {
    await this.parse(CertsCertificateKey);
    this.print(randomBytes(32).toString('hex'));
  }
}
