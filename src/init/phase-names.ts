// kubeadm's phases that k8ts does not have as phases of its own: what leaving one out means here, and why one cannot be run
// by itself. Names that mean the same are aliases of a phase. Source: kubeadm reference, "kubeadm init phase".

import { CodedError } from '../base/index.ts';
import type { ClusterDocument } from '../config/index.ts';

interface Foreign {
  /** The setting that leaving the phase out stands for. */
  readonly off?: 'dns' | 'serviceProxy';
  /** Why there is nothing to run, and nothing to leave out. */
  readonly because: string;
}

const proxy: Foreign = { off: 'serviceProxy', because: 'the service proxy is part of the node agent' };
const dns: Foreign = { off: 'dns', because: 'the cluster DNS is part of the node agent; addon-dns only announces it' };
const etcd: Foreign = { because: 'state is kept in SQLite, which the control plane opens itself' };
const rotation: Foreign = { because: 'the node agent always renews its certificates' };

const foreign: Readonly<Record<string, Foreign>> = {
  'addon/kube-proxy': proxy,
  'addon/coredns': dns,
  etcd,
  'etcd/local': etcd,
  'upload-certs': { because: 'there is one master, so certificates are handed to nobody' },
  'kubelet-finalize': rotation,
  'kubelet-finalize/all': rotation,
  'kubelet-finalize/enable-client-cert-rotation': rotation,
  'kubelet-finalize/experimental-cert-rotation': rotation,
};

/** Phases that kubeadm cuts into parts, and k8ts runs as a whole. */
const whole = ['certs', 'kubeconfig', 'control-plane', 'upload-config', 'addon', 'bootstrap-token'];

interface Skips {
  /** Phases of ours. */
  readonly phases: readonly string[];
  /** What leaving out the others means. */
  readonly networking: NonNullable<ClusterDocument['networking']>;
  readonly notes: readonly string[];
}

/** What --skip-phases asks for. @throws CodedError PHASE_PART */
export function resolveSkips(names: readonly string[]): Skips {
  const asked = names.flatMap((name) =>
    /^addon(\/all)?$/.test(name) ? ['addon/coredns', 'addon/kube-proxy'] : [name],
  );
  const known = asked.flatMap((name) => (foreign[name] === undefined ? [] : [{ name, ...foreign[name] }]));
  const phases = asked.filter((name) => foreign[name] === undefined);
  for (const name of phases) refusePart(name);
  const isOff = (setting: Foreign['off']): boolean => known.some(({ off }) => off === setting);
  return {
    phases,
    networking: {
      ...(isOff('dns') ? { dns: 'off' as const } : {}),
      ...(isOff('serviceProxy') ? { serviceProxy: 'off' as const } : {}),
    },
    notes: known
      .filter(({ off }) => off === undefined)
      .map(({ name, because }) => `there is no phase ${name} to leave out: ${because}`),
  };
}

/** The phase that `init phase` names by these words: `certs all` is certs/all. @throws CodedError PHASE_PART, PHASE_ABSENT */
export function resolvePhase(words: readonly string[]): string {
  const name = words.join('/');
  const other = foreign[name];
  if (other !== undefined) {
    throw new CodedError('PHASE_ABSENT', `there is no phase ${name}: ${other.because}`, {
      exit: 'invalidInput',
      hint: 'k8ts init phase lists the phases',
    });
  }
  refusePart(name);
  return name;
}

function refusePart(name: string): void {
  const [phase = '', part] = name.split('/');
  if (part === undefined || part === 'all' || !whole.includes(phase)) return;
  throw new CodedError('PHASE_PART', `phase ${phase} has no parts such as ${part}`, {
    exit: 'invalidInput',
    hint: `use ${phase}: it keeps what is there already, and makes what is missing`,
  });
}
