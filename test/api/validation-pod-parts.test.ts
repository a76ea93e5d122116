// Validation of what pods learned last: restart rules of containers, host names, certificates among projected files.

import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { dnsSubdomain } from './sentences.ts';
import { wrong } from './validated.ts';

type Fields = Readonly<Record<string, unknown>>;

const pod = (spec: Fields): object => ({ spec: { containers: [{ name: 'a', image: 'i' }], ...spec } });
const volume = (fields: Fields): object => pod({ volumes: [{ name: 'v', ...fields }] });
const restart = (operator: string, values: number[]): Fields => ({
  action: 'Restart',
  exitCodes: { operator, values },
});
const certificate = { signerName: 'example.com/s', keyType: 'ED25519' };

const cases: readonly (readonly [given: object, ...want: string[]])[] = [
  [
    pod({
      containers: [
        { name: 'a', image: 'i', restartPolicyRules: [restart('In', [1])] },
        { name: 'b', image: 'i', restartPolicy: 'Never', restartPolicyRules: [restart('In', [1, 2])] },
        { name: 'c', image: 'i', restartPolicy: 'Never', restartPolicyRules: [{ action: 'Stop' }, restart('', [])] },
        { name: 'd', image: 'i', restartPolicy: 'Never', restartPolicyRules: Array(21).fill(restart('NotIn', [1])) },
        { name: 'e', image: 'i', restartPolicy: 'Never', restartPolicyRules: [restart('In', Array(256).fill(1))] },
      ],
    }),
    'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
    'spec.containers[2].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart"',
    'spec.containers[2].restartPolicyRules[0].exitCodes: Required value: must be specified',
    'spec.containers[2].restartPolicyRules[1].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn"',
    'spec.containers[3].restartPolicyRules: Too many: 21: must have at most 20 items',
    'spec.containers[4].restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items',
  ],
  [
    pod({ initContainers: [{ name: 'n', image: 'i', restartPolicyRules: [restart('In', [1])] }] }),
    'spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
  ],
  [pod({ hostnameOverride: 'a.b' })],
  [
    pod({ hostnameOverride: `${'a'.repeat(60)}.${'b'.repeat(4)}`, setHostnameAsFQDN: true, hostNetwork: true }),
    'spec.hostnameOverride: Too long: may not be more than 64 bytes',
    'spec.hostNetwork: Forbidden: may not be true when `hostnameOverride` is set',
    'spec.setHostnameAsFQDN: Forbidden: may not be true when `hostnameOverride` is set',
  ],
  [pod({ hostnameOverride: 'A' }), `spec.hostnameOverride: Invalid value: "A": ${dnsSubdomain}`],
  [
    volume({
      projected: {
        sources: [
          { clusterTrustBundle: { name: 'example.com:signer:b', path: 'a' } },
          { clusterTrustBundle: { name: ':b', path: 'b' } },
          { clusterTrustBundle: { name: 'b', signerName: 'example.com/s', path: 'c' } },
          { clusterTrustBundle: { name: 'b', labelSelector: {}, path: 'd' } },
          { clusterTrustBundle: { signerName: 'signer', path: '../e' } },
          { clusterTrustBundle: { signerName: '', path: 'a' } },
        ],
      },
    }),
    'spec.volumes[0].projected.sources[1].clusterTrustBundle.name: Invalid value: ":b": not a valid clustertrustbundlename: ClusterTrustBundle without signer name must not have ":" in its name',
    'spec.volumes[0].projected.sources[2].clusterTrustBundle: Invalid value: {"name":"b","signerName":"example.com/s","path":"c"}: only one of name and signerName may be used',
    'spec.volumes[0].projected.sources[3].clusterTrustBundle.labelSelector: Invalid value: {}: labelSelector must be unset if name is specified',
    `spec.volumes[0].projected.sources[4].clusterTrustBundle.signerName: Invalid value: "signer": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    'spec.volumes[0].projected.sources[4].clusterTrustBundle.path: Invalid value: "../e": must not contain \'..\'',
    'spec.volumes[0].projected.sources[5].clusterTrustBundle.signerName: Required value: must be a valid signer name',
    'spec.volumes[0].projected.sources[5].clusterTrustBundle.signerName: Required value',
    'spec.volumes[0].projected: Invalid value: "a": conflicting duplicate paths',
  ],
  [
    volume({
      projected: {
        sources: [
          { podCertificate: { ...certificate, maxExpirationSeconds: 3600, keyPath: 'k', certificateChainPath: 'c' } },
          { podCertificate: { ...certificate, maxExpirationSeconds: 3599, credentialBundlePath: '/b' } },
          { podCertificate: { ...certificate, maxExpirationSeconds: 7_862_401, keyPath: 'k' } },
          { podCertificate: { signerName: 'kubernetes.io/s', keyType: 'RSA1', maxExpirationSeconds: 86_401 } },
        ],
      },
    }),
    'spec.volumes[0].projected.sources[1].podCertificate.maxExpirationSeconds: Invalid value: 3599: if provided, maxExpirationSeconds must be >= 3600',
    'spec.volumes[0].projected.sources[1].podCertificate.credentialBundlePath: Invalid value: "/b": must be a relative path',
    'spec.volumes[0].projected.sources[2].podCertificate.maxExpirationSeconds: Invalid value: 7862401: if provided, maxExpirationSeconds must be <= 7862400',
    'spec.volumes[0].projected: Invalid value: "k": conflicting duplicate paths',
    'spec.volumes[0].projected.sources[3].podCertificate.keyType: Unsupported value: "RSA1": supported values: "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"',
    'spec.volumes[0].projected.sources[3].podCertificate.maxExpirationSeconds: Invalid value: 86401: if provided, maxExpirationSeconds must be <= 86400',
    'spec.volumes[0].projected.sources[3].podCertificate: Required value: specify at least one of credentialBundlePath, keyPath, and certificateChainPath',
  ],
];

for (const [given, ...want] of cases) {
  t.test(`Pod: ${want[0] ?? 'fine'}`, async (t) => t.strictSame(wrong(kinds.pod, given), want));
}
