// certificatesigningrequest-cleaner: removes requests that nobody needs any more, each by its own timer. Upstream's times:
// an hour after the answer, a day without one, and at once when the issued certificate has expired.

import { type CertificateSigningRequest, kinds, type Stored } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { parseCertificate } from '../certs/index.ts';
import { keyOf } from '../client/index.ts';
import { later, remove } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';
import { timeOf } from './wire-time.ts';

const hour = 3_600_000;
const lives = [
  { type: 'Approved', life: hour },
  { type: 'Denied', life: hour },
  { type: 'Failed', life: hour },
] as const;
const pendingLife = 24 * hour;

export const csrCleanerController: Controller = {
  name: 'certificatesigningrequest-cleaner-controller',
  watches: [watch(kinds.certificateSigningRequest, (csr) => [keyOf(csr)])],
  reconcile(name, { view, now }) {
    const csr = view.get(kinds.certificateSigningRequest, name);
    return csr === undefined ? [] : reconcileAge(csr, now);
  },
};

export function reconcileAge(csr: Stored<CertificateSigningRequest>, now: number): readonly Action[] {
  const wait = endOf(csr, now) - now;
  return wait > 0 ? [later(wait)] : [remove(kinds.certificateSigningRequest, csr)];
}

/** When the request may go, ms since the epoch. */
function endOf({ metadata, status }: Stored<CertificateSigningRequest>, now: number): number {
  const conditions = status?.conditions ?? [];
  const ends = conditions.flatMap(({ type, lastUpdateTime }) =>
    lives.filter((one) => one.type === type).map(({ life }) => timeOf(lastUpdateTime, now) + life),
  );
  if (conditions.length === 0) ends.push(timeOf(metadata.creationTimestamp, now) + pendingLife);
  return Math.min(...ends, expiryOf(status?.certificate));
}

function expiryOf(certificate: string | undefined): number {
  if (certificate === undefined || certificate === '') return Number.POSITIVE_INFINITY;
  try {
    return parseCertificate(Buffer.from(certificate, 'base64').toString('utf8')).notAfter.getTime();
  } catch (error) {
    // Signers of others may write what they like; the request then lives as long as its answer says.
    if (error instanceof CodedError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
