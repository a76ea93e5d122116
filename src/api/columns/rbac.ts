// The columns of RBAC kinds, Leases and certificate requests.

import { ageOf, shortDuration } from '../duration.ts';
import type { Column } from '../kind.ts';
import type { CertificateSigningRequest, Lease, RoleBinding } from '../types.ts';
import { age, createdAt, text, wide } from './column.ts';

export const roleColumns: readonly Column[] = [createdAt];

function subjects({ subjects: all = [] }: RoleBinding, kind: string): string {
  return all
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

export const roleBindingColumns: readonly Column<RoleBinding>[] = [
  text('Role', 'What is granted.', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  age,
  wide('Users', 'Users it is granted to.', (binding) => subjects(binding, 'User')),
  wide('Groups', 'Groups it is granted to.', (binding) => subjects(binding, 'Group')),
  wide('ServiceAccounts', 'Service accounts it is granted to.', (binding) => subjects(binding, 'ServiceAccount')),
];

export const leaseColumns: readonly Column<Lease>[] = [
  text('Holder', 'Who holds it.', ({ spec }) => spec?.holderIdentity ?? ''),
  age,
];

export const certificateSigningRequestColumns: readonly Column<CertificateSigningRequest>[] = [
  {
    name: 'Age',
    type: 'string',
    description: 'Time since the request was made.',
    value: ({ metadata }, now) => ageOf(metadata?.creationTimestamp, now),
  },
  text('SignerName', 'Who is asked to sign.', ({ spec }) => spec.signerName),
  text('Requestor', 'Who asks.', ({ spec }) => spec.username ?? ''),
  text('RequestedDuration', 'How long it should be valid.', ({ spec }) =>
    spec.expirationSeconds === undefined ? '<none>' : shortDuration(spec.expirationSeconds * 1000),
  ),
  text('Condition', 'How the request stands.', ({ status }) => {
    const types = (status?.conditions ?? []).map(({ type }) => type);
    const approved = types.includes('Approved') ? ['Approved'] : [];
    const denied = types.includes('Denied') ? ['Denied'] : [];
    const failed = types.includes('Failed') ? ['Failed'] : [];
    const decided = [...approved, ...denied];
    const issued = status?.certificate ? ['Issued'] : [];
    return [...(decided.length === 0 ? ['Pending'] : decided), ...failed, ...issued].join(',');
  }),
];
