// certificatesigningrequest-approving: says yes to what nodes may ask for without a person:
//   client certificate   by a bootstrap token (first start), or by the node itself (renewal)
//   serving certificate  by the node itself, for names and addresses that its Node object has. Upstream leaves these to
//                        people, so most clusters run kubelets whose certificate nobody can verify
// Everything else stays pending for a person; nothing is ever denied here.

import { type CertificateSigningRequest, kinds, type Node, type Stored, timestamp } from '../api/index.ts';
import type { Csr } from '../certs/index.ts';
import { keyOf } from '../client/index.ts';
import { updateSubresource } from './actions.ts';
import { type Action, type Controller, type View, watch } from './controller.ts';
import {
  isPending,
  kubeletClientSigner,
  kubeletServingSigner,
  nodeNameIn,
  readRequest,
  whyNotNodeClient,
  whyNotNodeServing,
} from './csr-request.ts';
import { isSame } from './equality.ts';

export const csrApprovingController: Controller = {
  name: 'certificatesigningrequest-approving-controller',
  parallel: 2,
  watches: [
    watch(kinds.certificateSigningRequest, (csr) => (isPending(csr) ? [keyOf(csr)] : [])),
    // A serving request may come before the node has reported its addresses.
    watch(kinds.node, (node, view, { previous, object }) =>
      previous !== undefined && isSame(previous.status?.addresses, object.status?.addresses)
        ? []
        : waitingOf(node, view),
    ),
  ],
  reconcile(name, { view, now }) {
    const csr = view.get(kinds.certificateSigningRequest, name);
    if (csr === undefined || !isPending(csr)) return [];
    const node = view.get(kinds.node, nodeNameIn(csr.spec.username) ?? '');
    return reconcileApproval(csr, readRequest(csr), node, now);
  },
};

function waitingOf(node: Stored<Node>, view: View): readonly string[] {
  return view
    .list(kinds.certificateSigningRequest)
    .filter((csr) => isPending(csr) && nodeNameIn(csr.spec.username) === node.metadata.name)
    .map(keyOf);
}

/** @param request the parsed request, or why it cannot be read  @param node the sender's Node, if it is a node and known */
export function reconcileApproval(
  csr: Stored<CertificateSigningRequest>,
  request: Csr | string,
  node: Node | undefined,
  now: number,
): readonly Action[] {
  const why = typeof request === 'string' ? undefined : whyApproved(csr, request, node);
  if (why === undefined) return [];
  const time = timestamp(now);
  const condition = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message: why,
    lastUpdateTime: time,
    lastTransitionTime: time,
  };
  const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
  return [updateSubresource(kinds.certificateSigningRequest, 'approval', { ...csr, status })];
}

function whyApproved(csr: CertificateSigningRequest, request: Csr, node: Node | undefined): string | undefined {
  const { signerName, username, groups = [] } = csr.spec;
  const isOwn = username === request.subject.commonName && groups.includes('system:nodes');
  if (signerName === kubeletClientSigner) {
    if (whyNotNodeClient(csr, request) !== undefined) return undefined;
    if (isOwn) return 'Approved: the node renews its own client certificate.';
    return groups.includes('system:bootstrappers')
      ? 'Approved: first client certificate of a joining node.'
      : undefined;
  }
  if (signerName !== kubeletServingSigner || !isOwn || node === undefined) return undefined;
  if (whyNotNodeServing(csr, request) !== undefined || !areNodeNames(node, request)) return undefined;
  return 'Approved: the names and addresses are those of the node that asks.';
}

function areNodeNames({ metadata, status }: Node, { dnsNames, ipAddresses }: Csr): boolean {
  const addresses = status?.addresses ?? [];
  const ips = new Set(addresses.filter(({ type }) => type.endsWith('IP')).map(({ address }) => address));
  const names = new Set(addresses.filter(({ type }) => !type.endsWith('IP')).map(({ address }) => address));
  names.add(metadata?.name ?? '');
  return dnsNames.every((name) => names.has(name)) && ipAddresses.every((ip) => ips.has(ip));
}
