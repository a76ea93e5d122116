// What the doctor looks at, and what he says. All of it is gathered before anything is judged, so each finding is a function
// of a literal and has a test that provokes it.

import type { Lease, Node, Stored } from '../api/index.ts';
import type { ServiceStatus } from '../host/index.ts';
import type { Judged, Severity } from '../preflight/index.ts';
import type { NodeReport } from '../probe/index.ts';

export interface DoctorFinding {
  readonly id: string;
  readonly severity: Severity;
  /** A node's name, a file, a service; several by commas. */
  readonly subject: string;
  readonly cause: string;
  /** A command to paste where there is one. */
  readonly remedy: string;
}

export interface Observations {
  /** ms since the epoch, by this machine's clock. */
  readonly now: number;
  /** undefined: this machine is no node, or only root may look at it. */
  readonly machine: MachineObservations | undefined;
  /** undefined: there is no kubeconfig. */
  readonly cluster: ClusterObservations | undefined;
  /** What could not be looked at, and why. */
  readonly notLookedAt: readonly string[];
}

export interface MachineObservations {
  readonly nodeName: string;
  readonly services: readonly (ServiceStatus & { readonly name: string })[];
  readonly serviceKind: 'systemd' | 'supervisor';
  /** What the checks of `init` and `join` say of it now. */
  readonly preflight: readonly Judged[];
  readonly certificates: readonly CertificateFile[];
}

export interface CertificateFile {
  readonly name: string;
  readonly path: string;
  readonly kind: 'ca' | 'certificate' | 'kubeconfig' | 'agent';
  /** undefined: it cannot be read; `problem` says why. */
  readonly dates: { readonly notBefore: Date; readonly notAfter: Date } | undefined;
  readonly problem: string | undefined;
}

export interface ClusterObservations {
  /** Why the API server cannot be used; everything below is empty then. */
  readonly problem: string | undefined;
  /** ms that the API server's clock is ahead of this machine's; undefined: it did not say. */
  readonly clockSkew: number | undefined;
  readonly nodes: readonly Stored<Node>[];
  readonly leases: readonly Stored<Lease>[];
  /** By node name: what it reported, or why it could not. Nodes that were not asked are not in it. */
  readonly reports: Readonly<Record<string, ReportedNode | { readonly problem: string }>>;
}

export interface ReportedNode {
  readonly report: NodeReport;
  /** ms that the node's clock is ahead of this machine's. */
  readonly clockSkew: number;
}

/** Two ways to another node: to its own address, and to its end of the overlay. */
export interface NodePath {
  readonly from: string;
  readonly to: string;
  readonly direct: PathState;
  /** undefined: the node is not part of the overlay. */
  readonly overlay: PathState | undefined;
}

export interface PathState {
  readonly target: string;
  readonly outcome: NodeReport['reached'][number]['outcome'];
}

export interface DoctorCheck {
  readonly id: string;
  readonly severity: Severity;
  readonly why: string;
  readonly remedy: string;
  readonly judge: (observed: Observations) => readonly Complaint[];
}

/** A finding before it has the check's id and severity. */
export type Complaint = Omit<DoctorFinding, 'id' | 'severity'> & { readonly severity?: Severity };
