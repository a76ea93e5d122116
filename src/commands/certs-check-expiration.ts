import { dump } from 'js-yaml';
import { type HeldCertificate, readInventory } from '../certs/index.ts';
import { createLocalHost } from '../host/index.ts';
import { placeFlags, placesOf } from './certs-flags.ts';
import { outputFlag } from './flags.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows, timeLeft } from './output.ts';

/** With kubeadm's field names, so that scripts read both. */
interface Row {
  readonly name: string;
  readonly expirationDate?: string;
  /** Seconds. */
  readonly residualTime?: number;
  readonly externallyManaged: boolean;
  readonly caName?: string;
  readonly missing?: true;
  readonly problem?: string;
}

const name: Column<Row> = {
  header: 'CERTIFICATE',
  value: (row) => (row.missing === true ? `!MISSING! ${row.name}` : row.name),
};
const dates: readonly Column<Row>[] = [
  { header: 'EXPIRES', value: ({ expirationDate }) => (expirationDate === undefined ? '' : dateText(expirationDate)) },
  {
    header: 'RESIDUAL TIME',
    value: ({ residualTime }) => (residualTime === undefined ? '' : timeLeft(residualTime * 1000)),
  },
];
const external: Column<Row> = {
  header: 'EXTERNALLY MANAGED',
  value: (row) => (row.missing === true ? '' : row.externallyManaged ? 'yes' : 'no'),
};
const problem: Column<Row> = { header: 'PROBLEM', value: ({ problem: text }) => text ?? '' };

export default class CertsCheckExpiration extends K8tsCommand {
  static override description =
    'Lists the certificates of this control plane and when they expire. The agent renews its own; k8ts status shows those as well.';
  static override examples = ['$ k8ts certs check-expiration', '$ k8ts certs check-expiration -o json'];
  static override flags = { ...placeFlags, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(CertsCheckExpiration);
    const held = await readInventory(createLocalHost(), placesOf(flags));
    const now = Date.now();
    const certificates = held.filter(({ kind }) => kind !== 'ca').map((one) => rowOf(one, now));
    const certificateAuthorities = held.filter(({ kind }) => kind === 'ca').map((one) => rowOf(one, now));
    this.print(format({ certificates, certificateAuthorities }, flags.output));
  }
}

interface Report {
  readonly certificates: readonly Row[];
  readonly certificateAuthorities: readonly Row[];
}

function format(report: Report, output: 'table' | 'json' | 'yaml'): string {
  if (output === 'json') return JSON.stringify(report, null, 2);
  if (output === 'yaml') return dump(report, { lineWidth: -1 }).trimEnd();
  const rows = [...report.certificates, ...report.certificateAuthorities];
  const last = rows.some((row) => row.problem !== undefined) ? [external, problem] : [external];
  const authority: Column<Row> = { header: 'CERTIFICATE AUTHORITY', value: ({ caName }) => caName ?? '' };
  return [
    formatRows(report.certificates, [name, ...dates, authority, ...last], 'table'),
    '',
    formatRows(
      report.certificateAuthorities,
      [{ ...name, header: 'CERTIFICATE AUTHORITY' }, ...dates, ...last],
      'table',
    ),
  ].join('\n');
}

function rowOf(held: HeldCertificate, now: number): Row {
  const { certificate, problem: text } = held;
  return {
    name: held.name,
    ...(certificate === undefined
      ? {}
      : {
          expirationDate: certificate.notAfter.toISOString(),
          residualTime: Math.floor((certificate.notAfter.getTime() - now) / 1000),
        }),
    externallyManaged: held.isExternal,
    ...(held.kind === 'ca' ? {} : { caName: held.caName }),
    ...(certificate === undefined && text === undefined ? { missing: true as const } : {}),
    ...(text === undefined ? {} : { problem: text }),
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `Dec 30, 2027 23:36 UTC`, as kubeadm writes it. */
function dateText(iso: string): string {
  const date = new Date(iso);
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `${months[date.getUTCMonth()] ?? ''} ${day}, ${date.getUTCFullYear()} ${iso.slice(11, 16)} UTC`;
}
