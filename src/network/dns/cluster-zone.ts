// Answers for the cluster's own names (Kubernetes DNS-Based Service Discovery, schema 1.1.0), as a pure function of the
// question and a view of the cluster. Names below the zone:
//   SVC.NS.svc                      ClusterIP, endpoint addresses (headless) or a CNAME (ExternalName)
//   HOST.SVC.NS.svc                 one endpoint, by host name or dashed address
//   _PORT._PROTO.SVC.NS.svc         SRV
//   10-244-1-5.NS.pod               that address; pods are not looked up, as in CoreDNS's `pods insecure`
//   dns-version, ns.dns             schema version; this server's own name, for SOA and NS
// A name that exists without the asked type gets NOERROR and an SOA, one that does not gets NXDOMAIN and an SOA (RFC 2308).

import type { EndpointSlice, Service } from '../../api/index.ts';
import { type Cidr, cidrContains } from '../ipv4.ts';
import type { ClusterView } from './cluster-view.ts';
import { addressOfDashed, addressOfReverse, dashed, labelsBelow } from './names.ts';
import type { Answer, DnsRecord, Question, RecordData } from './records.ts';

export interface ZoneOptions {
  /** Lower case, without the final dot: `cluster.local`. */
  readonly zone: string;
  readonly dnsAddress: string;
  /** Ranges whose reverse names are answered here alone, and never asked of the servers outside. */
  readonly ownRanges: readonly Cidr[];
}

/** Seconds; also the time that the absence of a name may be remembered. */
export const ttl = 5;

const schemaVersion = '1.1.0';

/** One thing that a name stands for. */
type Found = 'absent' | 'empty' | readonly DnsRecord[];

/** The answer, or undefined when the name is not the cluster's: somebody outside has to be asked. */
export function answerFromCluster(question: Question, view: ClusterView, options: ZoneOptions): Answer | undefined {
  const { name, type } = question;
  const labels = labelsBelow(name, options.zone);
  if (labels !== undefined) return answerOf(question, findForward(labels, question, view, options), options.zone);
  const address = addressOfReverse(name);
  if (address === undefined) return undefined;
  const names = namesOf(address, view, options.zone);
  if (names.length > 0) {
    const records = names.map((target) => record(name, { type: 'PTR', target }));
    return answerOf(question, type === 'PTR' ? records : 'empty', options.zone);
  }
  if (!options.ownRanges.some((range) => cidrContains(range, address))) return undefined;
  return answerOf(question, 'absent', options.zone);
}

function answerOf({ name, type }: Question, found: Found, zone: string): Answer {
  if (typeof found !== 'string' && found.length > 0) {
    const isAnswer = (candidate: DnsRecord): boolean =>
      candidate.name === name && (candidate.type === type || candidate.type === 'CNAME');
    const answers = found.filter(isAnswer);
    if (answers.length > 0) {
      return { rcode: 'NOERROR', answers, authorities: [], additionals: found.filter((one) => !isAnswer(one)) };
    }
  }
  const rcode = found === 'absent' ? 'NXDOMAIN' : 'NOERROR';
  return { rcode, answers: [], authorities: [soa(zone)], additionals: [] };
}

function findForward(labels: readonly string[], question: Question, view: ClusterView, options: ZoneOptions): Found {
  const { zone, dnsAddress } = options;
  const { name } = question;
  const top = labels.at(-1);
  const below = labels.slice(0, -1);
  switch (top) {
    case undefined:
      return [
        soa(zone),
        record(zone, { type: 'NS', target: `ns.dns.${zone}` }),
        record(`ns.dns.${zone}`, { type: 'A', address: dnsAddress }),
      ];
    case 'svc':
      return findService(below, question, view, zone);
    case 'pod':
      return findPod(below, name, view);
    case 'dns':
      if (below.length === 0) return 'empty';
      return below.length === 1 && below[0] === 'ns' ? [record(name, { type: 'A', address: dnsAddress })] : 'absent';
    case 'dns-version':
      return below.length === 0 ? [record(name, { type: 'TXT', text: schemaVersion })] : 'absent';
    default:
      return 'absent';
  }
}

function findPod(labels: readonly string[], name: string, view: ClusterView): Found {
  const [host, namespace = host, ...more] = labels;
  if (host === undefined) return 'empty';
  if (labels.length === 1) return view.hasNamespace(host) ? 'empty' : 'absent';
  const address = addressOfDashed(host);
  if (more.length > 0 || namespace === undefined || address === undefined) return 'absent';
  return [record(name, { type: 'A', address })];
}

function findService(labels: readonly string[], question: Question, view: ClusterView, zone: string): Found {
  const namespace = labels.at(-1);
  const serviceName = labels.at(-2);
  if (namespace === undefined) return 'empty';
  if (serviceName === undefined) return view.hasNamespace(namespace) ? 'empty' : 'absent';
  const service = view.service(namespace, serviceName);
  if (service === undefined) return 'absent';
  const host: ServiceHost = {
    base: `${serviceName}.${namespace}.svc.${zone}`,
    service,
    slices: () => view.slices(namespace, serviceName),
  };
  const [first, second, ...more] = labels.slice(0, -2);
  const { name } = question;
  if (first === undefined)
    return service.spec?.type === 'ExternalName' ? external(name, service) : whole(host, question);
  if (service.spec?.type === 'ExternalName' || more.length > 0) return 'absent';
  if (second !== undefined) return ofPort(host, first, second, name);
  if (isProtocol(first)) return portsOf(host).some((port) => port.protocol === first) ? 'empty' : 'absent';
  const endpoints = endpointsOf(host).filter((endpoint) => endpoint.label === first);
  return orAbsent(unique(endpoints.map(({ address }) => record(name, { type: 'A', address }))));
}

interface ServiceHost {
  /** SVC.NS.svc.ZONE */
  readonly base: string;
  readonly service: Service;
  readonly slices: () => readonly EndpointSlice[];
}

interface EndpointHost {
  readonly address: string;
  /** Host name or dashed address. */
  readonly label: string;
  readonly ports: readonly NamedPort[];
}

interface NamedPort {
  readonly name: string;
  /** `_tcp` */
  readonly protocol: string;
  readonly port: number;
}

function external(name: string, service: Service): Found {
  const target = (service.spec?.externalName ?? '').replace(/\.$/, '').toLowerCase();
  return target === '' ? 'empty' : [record(name, { type: 'CNAME', target })];
}

/** The Service's own name: its addresses; for SRV all of its ports, as CoreDNS does. */
function whole(host: ServiceHost, { name, type }: Question): Found {
  if (type === 'SRV') {
    const targets = srvTargets(host, () => true);
    return targets.length === 0 ? 'empty' : srvRecords(name, targets);
  }
  if (!isHeadless(host.service))
    return clusterAddresses(host.service).map((address) => record(name, { type: 'A', address }));
  // A headless Service without ready endpoints has no addresses, so its name has nothing to stand for.
  return orAbsent(unique(endpointsOf(host).map(({ address }) => record(name, { type: 'A', address }))));
}

function ofPort(host: ServiceHost, port: string, protocol: string, name: string): Found {
  if (!port.startsWith('_') || !isProtocol(protocol)) return 'absent';
  const targets = srvTargets(host, (one) => `_${one.name}` === port && one.protocol === protocol);
  return targets.length === 0 ? 'absent' : srvRecords(name, targets);
}

interface SrvTarget {
  readonly target: string;
  readonly address: string;
  readonly port: number;
}

function srvTargets(host: ServiceHost, wanted: (port: NamedPort) => boolean): SrvTarget[] {
  if (!isHeadless(host.service)) {
    const [address = ''] = clusterAddresses(host.service);
    return address === ''
      ? []
      : portsOf(host)
          .filter(wanted)
          .map(({ port }) => ({ target: host.base, address, port }));
  }
  return endpointsOf(host).flatMap(({ address, label, ports }) =>
    ports.filter(wanted).map(({ port }) => ({ target: `${label}.${host.base}`, address, port })),
  );
}

/** SRV records with the addresses of their targets beside them. */
function srvRecords(name: string, targets: readonly SrvTarget[]): DnsRecord[] {
  const weight = Math.max(1, Math.floor(100 / targets.length));
  return unique([
    ...targets.map(({ target, port }) => record(name, { type: 'SRV', priority: 0, weight, port, target })),
    ...targets.map(({ target, address }) => record(target, { type: 'A', address })),
  ]);
}

function endpointsOf(host: ServiceHost): EndpointHost[] {
  return host.slices().flatMap((slice) => {
    if (slice.addressType !== 'IPv4') return [];
    const ports = (slice.ports ?? []).map((port) => namedPort(port.name, port.protocol, port.port));
    return (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.conditions?.ready !== false)
      .flatMap(({ addresses, hostname }) =>
        addresses.map((address) => ({ address, label: hostname?.toLowerCase() ?? dashed(address), ports })),
      );
  });
}

function portsOf({ service }: ServiceHost): NamedPort[] {
  return (service.spec?.ports ?? []).map((port) => namedPort(port.name, port.protocol, port.port));
}

function namedPort(name = '', protocol = 'TCP', port = 0): NamedPort {
  return { name: name.toLowerCase(), protocol: `_${protocol.toLowerCase()}`, port };
}

function isProtocol(label: string): boolean {
  return label === '_tcp' || label === '_udp' || label === '_sctp';
}

function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

function clusterAddresses(service: Service): readonly string[] {
  const { clusterIP = '', clusterIPs = [clusterIP] } = service.spec ?? {};
  return clusterIPs.filter((address) => address.includes('.'));
}

/** The names of an address: its Service, or the endpoints that have it. */
function namesOf(address: string, view: ClusterView, zone: string): string[] {
  const service = view.serviceAt(address);
  if (service !== undefined) return [`${service.metadata?.name}.${service.metadata?.namespace}.svc.${zone}`];
  const names = view.slicesAt(address).flatMap((slice) => {
    const { namespace, labels = {} } = slice.metadata ?? {};
    const base = `${labels['kubernetes.io/service-name']}.${namespace}.svc.${zone}`;
    return (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.addresses.includes(address) && endpoint.conditions?.ready !== false)
      .map(({ hostname }) => `${hostname ?? dashed(address)}.${base}`);
  });
  return [...new Set(names)];
}

function soa(zone: string): DnsRecord {
  return record(zone, {
    type: 'SOA',
    mname: `ns.dns.${zone}`,
    rname: `hostmaster.${zone}`,
    // Nobody transfers this zone, so the number never has to grow.
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttl,
  });
}

function record(name: string, data: RecordData): DnsRecord {
  return { name, ttl, ...data };
}

function unique(records: readonly DnsRecord[]): DnsRecord[] {
  return [...new Map(records.map((one) => [JSON.stringify(one), one])).values()];
}

function orAbsent(records: readonly DnsRecord[]): Found {
  return records.length === 0 ? 'absent' : records;
}
