// The cluster's certificates and kubeconfigs as data, with kubeadm's names, files and subjects, so that whoever knows a
// kubeadm cluster finds everything. Planning, writing, expiry lists and renewal all read these two tables.

import ipaddr from 'ipaddr.js';
import { CodedError } from '../base/index.ts';
import type { Usage } from './extensions.ts';

/** What the certificates' contents depend on. */
export interface CertContext {
  readonly nodeName: string;
  readonly advertiseAddress: string;
  /** host:port that clients use; may equal the advertise address. */
  readonly controlPlaneEndpoint: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
  /** Further DNS names and IP addresses for the API server. */
  readonly extraSans?: readonly string[];
}

export interface CertSpec {
  /** As `certs renew` calls it. */
  readonly name: string;
  /** Below the certificate folder, without .crt and .key. */
  readonly file: string;
  /** Which CA signs it, by name; null: it is a CA and signs itself. */
  readonly signer: string | null;
  readonly commonName: (context: CertContext) => string;
  readonly organizations: readonly string[];
  readonly usages: readonly Usage[];
  readonly altNames: (context: CertContext) => readonly string[];
}

const fixed =
  (name: string): (() => string) =>
  () =>
    name;
const nodeNameOf = ({ nodeName }: CertContext): string => nodeName;
const none = (): readonly string[] => [];
const ca = { signer: null, organizations: [], usages: ['digital signature', 'cert sign'], altNames: none } as const;
const client = { usages: ['digital signature', 'client auth'], altNames: none } as const;
const etcdMember = {
  signer: 'etcd-ca',
  commonName: nodeNameOf,
  organizations: [],
  usages: ['digital signature', 'server auth', 'client auth'],
  altNames: ({ nodeName, advertiseAddress }: CertContext) => [
    ...[nodeName, 'localhost', advertiseAddress, '127.0.0.1', '::1'],
  ],
} as const;

/** In the order in which they must be made: a CA before what it signs. */
export const certs = [
  { ...ca, name: 'ca', file: 'ca', commonName: fixed('kubernetes') },
  {
    name: 'apiserver',
    file: 'apiserver',
    signer: 'ca',
    commonName: fixed('kube-apiserver'),
    organizations: [],
    usages: ['digital signature', 'server auth'],
    altNames: apiServerNames,
  },
  {
    ...client,
    name: 'apiserver-kubelet-client',
    file: 'apiserver-kubelet-client',
    signer: 'ca',
    commonName: fixed('kube-apiserver-kubelet-client'),
    organizations: ['kubeadm:cluster-admins'],
  },
  { ...ca, name: 'front-proxy-ca', file: 'front-proxy-ca', commonName: fixed('front-proxy-ca') },
  {
    ...client,
    name: 'front-proxy-client',
    file: 'front-proxy-client',
    signer: 'front-proxy-ca',
    commonName: fixed('front-proxy-client'),
    organizations: [],
  },
] as const satisfies readonly CertSpec[];

/** Made besides where the datastore is etcd: who may reach it is a matter of having a certificate of its own CA. */
export const etcdCerts = [
  { ...ca, name: 'etcd-ca', file: 'etcd/ca', commonName: fixed('etcd-ca') },
  { ...etcdMember, name: 'etcd-server', file: 'etcd/server' },
  { ...etcdMember, name: 'etcd-peer', file: 'etcd/peer' },
  {
    ...client,
    name: 'etcd-healthcheck-client',
    file: 'etcd/healthcheck-client',
    signer: 'etcd-ca',
    commonName: fixed('kube-etcd-healthcheck-client'),
    organizations: [],
  },
  {
    ...client,
    name: 'apiserver-etcd-client',
    file: 'apiserver-etcd-client',
    signer: 'etcd-ca',
    commonName: fixed('kube-apiserver-etcd-client'),
    organizations: [],
  },
] as const satisfies readonly CertSpec[];

export interface KubeconfigSpec {
  /** File name in the kubeconfig folder. */
  readonly name: string;
  /** What kubeconfig calls the user; only a label. */
  readonly user: (context: CertContext) => string;
  readonly commonName: (context: CertContext) => string;
  readonly organizations: readonly string[];
  /** `cluster`: the address that every client uses. `local`: this master's own, so that it works on its own. */
  readonly endpoint: 'cluster' | 'local';
}

const nodeUser = ({ nodeName }: CertContext): string => `system:node:${nodeName}`;

export const kubeconfigs = [
  {
    name: 'admin.conf',
    user: fixed('kubernetes-admin'),
    commonName: fixed('kubernetes-admin'),
    organizations: ['kubeadm:cluster-admins'],
    endpoint: 'cluster',
  },
  {
    // Passes every authorizer: the way back in when RBAC rules are broken.
    name: 'super-admin.conf',
    user: fixed('kubernetes-super-admin'),
    commonName: fixed('kubernetes-super-admin'),
    organizations: ['system:masters'],
    endpoint: 'cluster',
  },
  { name: 'kubelet.conf', user: nodeUser, commonName: nodeUser, organizations: ['system:nodes'], endpoint: 'cluster' },
  {
    name: 'controller-manager.conf',
    user: fixed('system:kube-controller-manager'),
    commonName: fixed('system:kube-controller-manager'),
    organizations: [],
    endpoint: 'local',
  },
  {
    name: 'scheduler.conf',
    user: fixed('system:kube-scheduler'),
    commonName: fixed('system:kube-scheduler'),
    organizations: [],
    endpoint: 'local',
  },
] as const satisfies readonly KubeconfigSpec[];

/** Every name and address under which a client may reach the API server. */
function apiServerNames(context: CertContext): readonly string[] {
  const { nodeName, advertiseAddress, controlPlaneEndpoint, serviceCidr, clusterDomain, extraSans = [] } = context;
  const service = 'kubernetes.default.svc';
  return [
    nodeName,
    ...['kubernetes', 'kubernetes.default', service, `${service}.${clusterDomain}`],
    firstAddressOf(serviceCidr),
    advertiseAddress,
    hostOf(controlPlaneEndpoint),
    ...extraSans,
  ];
}

/** The `kubernetes` Service's address: the first one of the service range. */
function firstAddressOf(cidr: string): string {
  if (!ipaddr.isValidCIDR(cidr)) {
    throw new CodedError('SERVICE_CIDR_INVALID', `"${cidr}" is not an address range`, {
      exit: 'invalidInput',
      hint: 'pass --service-cidr as address/bits, for example 10.96.0.0/12',
    });
  }
  const [address, length] = ipaddr.parseCIDR(cidr);
  const network =
    address.kind() === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(cidr) : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  const bytes = network.toByteArray();
  const last = bytes.length - 1;
  if (length < bytes.length * 8) bytes[last] = (bytes[last] ?? 0) + 1;
  return ipaddr.fromByteArray(bytes).toString();
}

/** `host:port`, `[v6]:port`, `host` → host. */
function hostOf(endpoint: string): string {
  const url = `https://${endpoint}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : endpoint;
}
