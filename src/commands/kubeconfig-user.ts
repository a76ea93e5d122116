import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { CodedError, codeOf } from '../base/index.ts';
import { createKubeconfig, splitCertificates } from '../certs/index.ts';
import { paths } from '../config/index.ts';
import { buildKubeconfig, parseKubeconfig } from '../kubeconfig/index.ts';
import { parseDuration } from '../tokens/index.ts';
import { initConfigFlag, initConfigOf } from './certs-flags.ts';
import { list } from './flags.ts';
import { K8tsCommand } from './oclif.ts';

export default class KubeconfigUser extends K8tsCommand {
  static override description =
    'Prints a kubeconfig for a further user: with a client certificate signed here, or with a token. What the user may do is said by RBAC, for the name or the groups.';
  static override examples = [
    '$ k8ts kubeconfig user --client-name jane --org developers > jane.conf',
    '$ k8ts kubeconfig user --client-name ci --validity-period 720h',
    '$ k8ts kubeconfig user --client-name robot --token TOKEN',
  ];
  static override flags = {
    'client-name': Flags.string({ required: true, summary: 'Name of the user: the common name of its certificate' }),
    org: list('Groups of the user: the organizations of its certificate'),
    token: Flags.string({ summary: 'Token to put in, instead of a certificate' }),
    'validity-period': Flags.string({ summary: 'How long the certificate is valid', default: '8760h0m0s' }),
    'cert-dir': Flags.string({ summary: 'Folder of ca.crt and ca.key', default: paths.pki }),
    config: initConfigFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(KubeconfigUser);
    const { 'client-name': user, org = [], token, 'cert-dir': certDir } = flags;
    const lifetime = parseDuration(flags['validity-period']);
    if (lifetime === 0) {
      throw new CodedError('USAGE', '--validity-period must be longer than 0', { exit: 'invalidInput' });
    }
    const server = await serverOf(flags.config);
    const caPem = await readPem(join(certDir, 'ca.crt'));
    if (token !== undefined) {
      this.print(buildKubeconfig({ server, user, ca: { text: caPem }, token: { text: token } }).trimEnd());
      return;
    }
    const signer = { certPem: caPem, keyPem: await readPem(join(certDir, 'ca.key')) };
    const subject = { commonName: user, organizations: org };
    this.print((await createKubeconfig({ server, user, subject, signer, lifetime })).trimEnd());
    if (splitCertificates(caPem).length > 1) {
      process.stderr.write(
        'warning: the CA is being replaced; what it signs before stage `issue` ends with stage `finish`\n',
      );
    }
  }
}

/** As the administrator's kubeconfig has it, or the configuration that was given. */
async function serverOf(config: string | undefined): Promise<string> {
  const admin = config === undefined ? await readFile(paths.adminConf, 'utf8').catch(() => undefined) : undefined;
  if (admin !== undefined) return parseKubeconfig(admin).server;
  return `https://${(await initConfigOf(config)).cluster.controlPlaneEndpoint}`;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const isAbsent = codeOf(error) === 'ENOENT';
    throw new CodedError(
      'CA_UNREADABLE',
      `${path} ${isAbsent ? 'is not there' : `cannot be read (${codeOf(error)})`}`,
      {
        exit: 'invalidInput',
        hint: 'run this on a control plane node as root, or name the folder with --cert-dir; with an external CA, use --token',
        cause: error,
      },
    );
  }
}
