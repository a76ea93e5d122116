// From what was seen to what is wrong: every check over the observations, then what is the same on several nodes as one
// line, gravest first.

import { clusterChecks } from './checks/cluster.ts';
import { machineChecks } from './checks/machine.ts';
import { networkChecks } from './checks/network.ts';
import { reportChecks } from './checks/reports.ts';
import type { DoctorCheck, DoctorFinding, Observations } from './observations.ts';

export const doctorChecks: readonly DoctorCheck[] = [
  ...machineChecks,
  ...clusterChecks,
  ...reportChecks,
  ...networkChecks,
];

export function diagnose(observed: Observations): readonly DoctorFinding[] {
  const found = doctorChecks.flatMap(({ id, severity, judge }) =>
    judge(observed).map((complaint) => ({ id, ...complaint, severity: complaint.severity ?? severity })),
  );
  const { machine } = observed;
  const ofMachine = (machine?.preflight ?? []).map(({ id, severity, message, fix }) => ({
    id,
    severity,
    subject: machine?.nodeName ?? '',
    cause: message,
    remedy: fix,
  }));
  const all = merge([...found, ...ofMachine]);
  return [
    ...all.filter(({ severity }) => severity === 'error'),
    ...all.filter(({ severity }) => severity === 'warning'),
  ];
}

/** One finding for all subjects that have the same one; their remedies differ by no more than the subject's name. */
function merge(findings: readonly DoctorFinding[]): readonly DoctorFinding[] {
  const groups = new Map<string, DoctorFinding>();
  for (const finding of findings) {
    const { id, severity, cause, subject } = finding;
    const remedy = finding.remedy.replaceAll(subject, 'each of them');
    const key = JSON.stringify([id, severity, cause, remedy]);
    const same = groups.get(key);
    groups.set(key, same === undefined ? finding : { ...finding, subject: `${same.subject}, ${subject}`, remedy });
  }
  return [...groups.values()];
}
