// CAs, serving and client certificates, service-account keys. What is there and valid is kept, a CA brought along included.

import { type CertContext, ensureCertificates } from '../certs/index.ts';
import { type InitConfig, paths } from '../config/index.ts';
import { parseDuration } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const certs: Phase<InitContext> = {
  name: 'certs',
  title: 'Writing certificates',
  aliases: ['certs/all'],
  run: async ({ host, config }, progress) => {
    const report = await ensureCertificates(host, {
      context: certContextOf(config),
      certDir: paths.pki,
      ...keyOptions(config),
      caLifetime: parseDuration(config.certificates.caLifetime),
    });
    const issued = report.filter(({ action }) => action === 'issue').map(({ name }) => name);
    progress.report(issued.length === 0 ? 'all are there already' : `issued ${issued.join(', ')}`);
  },
};

export function certContextOf(config: InitConfig): CertContext {
  return {
    nodeName: config.node.name,
    advertiseAddress: config.advertiseAddress,
    controlPlaneEndpoint: config.cluster.controlPlaneEndpoint,
    serviceCidr: config.cluster.serviceCidr,
    clusterDomain: config.cluster.clusterDomain,
    extraSans: config.certSans,
  };
}

/** What certificates and kubeconfigs are made with. */
export function keyOptions({ certificates }: InitConfig) {
  return { algorithm: certificates.algorithm, lifetime: parseDuration(certificates.lifetime) };
}
