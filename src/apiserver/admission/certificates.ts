// Rules of CertificateSigningRequests: who asked is written by the server, not by the asker; approving and signing need
// the verbs `approve` and `sign` on the signer; nobody gets a client certificate of group system:masters.
// Source: Kubernetes documentation, "Certificates and Certificate Signing Requests".

import type { CertificateSigningRequest } from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, Authorizer } from '../contracts.ts';
import { organizationsOf } from './csr-subject.ts';
import { refuse } from './refuse.ts';

const group = 'certificates.k8s.io';

export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  mutate(request) {
    const csr = request.object as CertificateSigningRequest;
    if (!isRequest(request)) return csr;
    const old = request.oldObject as CertificateSigningRequest | undefined;
    // The specification never changes, so that what was approved is what gets signed.
    if (request.operation === 'UPDATE') return old === undefined ? csr : { ...csr, spec: old.spec };
    if (request.operation !== 'CREATE' || request.subresource !== '') return csr;
    const { user } = request;
    const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = csr.spec ?? {};
    return {
      ...csr,
      spec: {
        ...asked,
        username: user.name,
        groups: user.groups,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        ...(user.extra === undefined ? {} : { extra: user.extra }),
      },
    };
  },
};

export function certificateApproval(authorize: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      if (!isRequest(request) || request.operation !== 'UPDATE' || request.subresource !== 'approval') return;
      const { signerName } = (request.oldObject as CertificateSigningRequest).spec;
      if (maySign(authorize, request, 'approve', signerName)) return;
      throw refuse(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`);
    },
  };
}

export function certificateSigning(authorize: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      if (!isRequest(request) || request.operation !== 'UPDATE' || request.subresource !== 'status') return;
      const [csr, old] = [request.object as CertificateSigningRequest, request.oldObject as CertificateSigningRequest];
      const unsigned = csr.status?.certificate === old.status?.certificate && hasFailed(csr) === hasFailed(old);
      if (unsigned || maySign(authorize, request, 'sign', old.spec.signerName)) return;
      const signer = JSON.stringify(old.spec.signerName);
      throw refuse(request, `user not permitted to sign requests with signerName ${signer}`);
    },
  };
}

export const certificateSubject: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(request) {
    if (!isRequest(request) || request.operation !== 'CREATE') return;
    const { signerName, request: pem } = (request.object as CertificateSigningRequest).spec;
    if (signerName !== 'kubernetes.io/kube-apiserver-client') return;
    if (!organizationsOf(Buffer.from(pem, 'base64').toString('latin1')).includes('system:masters')) return;
    throw refuse(request, `use of ${signerName} signer with system:masters group is not allowed`);
  },
};

/** The right may be given for one signer or for all of its domain. */
function maySign(authorize: Authorizer, { user }: AdmissionRequest, verb: string, signer: string): boolean {
  const names = [signer, `${signer.split('/')[0] ?? ''}/*`];
  return names.some((name) => {
    const { decision } = authorize({
      user,
      verb,
      isResourceRequest: true,
      apiGroup: group,
      apiVersion: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      path: '',
    });
    return decision === 'allow';
  });
}

function hasFailed(csr: CertificateSigningRequest): boolean {
  return (csr.status?.conditions ?? []).some(({ type }) => type === 'Failed');
}

function isRequest({ kind }: AdmissionRequest): boolean {
  return kind.group === group && kind.plural === 'certificatesigningrequests';
}
