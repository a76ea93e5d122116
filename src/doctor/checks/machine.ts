// The machine that the doctor runs on: services, certificates, and what the preflight checks say of it now.

import { warningTime } from '../../certs/index.ts';
import type { CertificateFile, Complaint, DoctorCheck } from '../observations.ts';

const manyRestarts = 3;

export const machineChecks = [
  {
    id: 'ServiceDown',
    severity: 'error',
    why: 'the control plane and the agent are two services; without them the machine is not part of the cluster',
    remedy: 'start the service; its log says why it ended',
    judge: ({ machine }) =>
      (machine?.services ?? [])
        .filter(({ state }) => state === 'stopped' || state === 'failed')
        .map(({ name, state, reason }) => ({
          subject: name,
          cause: `it is ${state}${reason === undefined ? '' : `: ${reason}`}`,
          remedy:
            machine?.serviceKind === 'systemd'
              ? `systemctl start ${name}; its log: journalctl -u ${name}`
              : `run k8ts init or k8ts join again; its log: /var/log/k8ts/${name}.log`,
        })),
  },
  {
    id: 'ServiceRestarts',
    severity: 'warning',
    why: 'a service that ends again and again is started again and again, and does little in between',
    remedy: 'look at its log for why it ends',
    judge: ({ machine }) =>
      (machine?.services ?? [])
        .filter(({ restarts }) => restarts > manyRestarts)
        .map(({ name, restarts }) => ({
          subject: name,
          cause: `it ended and was started again ${restarts} times`,
          remedy: machine?.serviceKind === 'systemd' ? `journalctl -u ${name}` : `tail /var/log/k8ts/${name}.log`,
        })),
  },
  {
    id: 'Certificate',
    severity: 'error',
    why: 'who shows a certificate that is over is refused everywhere',
    remedy: 'renew it',
    judge: ({ machine, now }) => (machine?.certificates ?? []).flatMap((file) => judgeCertificate(file, now)),
  },
] as const satisfies readonly DoctorCheck[];

function judgeCertificate(file: CertificateFile, now: number): Complaint[] {
  const { path, dates, problem } = file;
  if (problem !== undefined) return [{ subject: path, cause: problem, remedy: remedyOf(file) }];
  if (dates === undefined) return [];
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  if (dates.notAfter.getTime() <= now) {
    return [{ subject: path, cause: `it ended on ${day(dates.notAfter)}`, remedy: remedyOf(file) }];
  }
  if (dates.notBefore.getTime() > now) {
    const cause = `it is valid from ${dates.notBefore.toISOString()} on, which is in the future`;
    return [{ subject: path, cause, remedy: 'set the clock: timedatectl set-ntp true (compare: date -u)' }];
  }
  if (warningTime(dates) > now) return [];
  return [{ subject: path, cause: `it ends on ${day(dates.notAfter)}`, remedy: remedyOf(file), severity: 'warning' }];
}

function remedyOf({ kind, name }: CertificateFile): string {
  if (kind === 'ca') return 'k8ts certs rotate-ca';
  if (kind === 'agent') return 'systemctl restart k8ts-agent; after its end: k8ts reset, and join again';
  return `k8ts certs renew ${name}`;
}
