import t from 'tap';
import { type EndpointSlice, kinds, type Service } from '../../src/api/index.ts';
import { createFakeClient, createInformerFactory } from '../../src/client/index.ts';
import { type ClusterView, createClusterView } from '../../src/network/dns/cluster-view.ts';
import { answerFromCluster } from '../../src/network/dns/cluster-zone.ts';
import type { DnsRecord } from '../../src/network/dns/records.ts';
import { parseCidr } from '../../src/network/ipv4.ts';
import { service, slice } from './objects.ts';

const zone = {
  zone: 'cluster.local',
  dnsAddress: '10.96.0.10',
  ownRanges: [parseCidr('10.96.0.0/12'), parseCidr('10.244.0.0/16')],
};
const http = { name: 'http', port: 80, protocol: 'TCP' };
const services: readonly Service[] = [
  service('web', { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [http] }),
  service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] }),
  service('empty', { clusterIP: 'None' }),
  service('out', { type: 'ExternalName', externalName: 'Example.org.' }),
];
const slices: readonly EndpointSlice[] = [
  slice('web', [{ name: 'http', port: 8080 }], [{ ip: '10.244.1.9' }]),
  slice(
    'db',
    [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    [
      { ip: '10.244.1.2', hostname: 'db-0' },
      { ip: '10.244.2.2' },
      { ip: '10.244.2.3', hostname: 'db-2', conditions: { ready: false } },
    ],
  ),
];

async function viewOf(): Promise<ClusterView> {
  const client = createFakeClient();
  for (const object of services) await client.create(kinds.service, object);
  for (const object of slices) await client.create(kinds.endpointSlice, object);
  const informers = createInformerFactory(client);
  const view = createClusterView(informers.informer(kinds.service), informers.informer(kinds.endpointSlice));
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  await informers.start(stop.signal);
  return view;
}

const dataOf = (record: DnsRecord): string => {
  switch (record.type) {
    case 'A':
      return record.address;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'TXT':
      return record.text;
    case 'SOA':
      return record.mname;
    default:
      return record.target;
  }
};

const view = await viewOf();
const nothing = 'NOERROR + SOA';
const absent = 'NXDOMAIN + SOA';
const cases: readonly { readonly name: string; readonly ask: string; readonly type?: string; readonly want: string }[] =
  [
    { name: 'ClusterIP', ask: 'web.default.svc.cluster.local', want: 'NOERROR 10.96.0.5' },
    { name: 'no IPv6 address', ask: 'web.default.svc.cluster.local', type: 'AAAA', want: nothing },
    { name: 'unknown Service', ask: 'nobody.default.svc.cluster.local', want: absent },
    { name: 'unknown namespace', ask: 'web.other.svc.cluster.local', want: absent },
    { name: 'a namespace exists', ask: 'default.svc.cluster.local', want: nothing },
    { name: 'an unknown namespace does not', ask: 'other.svc.cluster.local', want: absent },
    { name: 'svc exists', ask: 'svc.cluster.local', want: nothing },
    { name: 'another word does not', ask: 'foo.cluster.local', want: absent },
    { name: 'zone', ask: 'cluster.local', type: 'SOA', want: 'NOERROR ns.dns.cluster.local' },
    { name: 'name server', ask: 'cluster.local', type: 'NS', want: 'NOERROR ns.dns.cluster.local' },
    { name: 'address of the name server', ask: 'ns.dns.cluster.local', want: 'NOERROR 10.96.0.10' },
    { name: 'schema version', ask: 'dns-version.cluster.local', type: 'TXT', want: 'NOERROR 1.1.0' },
    {
      name: 'SRV of a ClusterIP',
      ask: '_http._tcp.web.default.svc.cluster.local',
      type: 'SRV',
      want: 'NOERROR 0 100 80 web.default.svc.cluster.local',
    },
    { name: 'SRV with another protocol', ask: '_http._udp.web.default.svc.cluster.local', type: 'SRV', want: absent },
    { name: 'SRV with an unknown port', ask: '_x._tcp.web.default.svc.cluster.local', type: 'SRV', want: absent },
    { name: 'the name above an SRV name exists', ask: '_tcp.web.default.svc.cluster.local', want: nothing },
    { name: 'headless: ready endpoints', ask: 'db.default.svc.cluster.local', want: 'NOERROR 10.244.1.2 10.244.2.2' },
    { name: 'headless without endpoints', ask: 'empty.default.svc.cluster.local', want: absent },
    { name: 'endpoint by host name', ask: 'db-0.db.default.svc.cluster.local', want: 'NOERROR 10.244.1.2' },
    { name: 'endpoint by address', ask: '10-244-2-2.db.default.svc.cluster.local', want: 'NOERROR 10.244.2.2' },
    { name: 'endpoint that is not ready', ask: 'db-2.db.default.svc.cluster.local', want: absent },
    {
      name: 'SRV of a headless Service',
      ask: '_sql._tcp.db.default.svc.cluster.local',
      type: 'SRV',
      want: 'NOERROR 0 50 5432 db-0.db.default.svc.cluster.local 0 50 5432 10-244-2-2.db.default.svc.cluster.local',
    },
    { name: 'ExternalName', ask: 'out.default.svc.cluster.local', want: 'NOERROR example.org' },
    { name: 'nothing below an ExternalName', ask: 'a.out.default.svc.cluster.local', want: absent },
    { name: 'pod by address', ask: '10-244-7-7.default.pod.cluster.local', want: 'NOERROR 10.244.7.7' },
    { name: 'no pod by another word', ask: 'x.default.pod.cluster.local', want: absent },
    {
      name: 'PTR of a ClusterIP',
      ask: '5.0.96.10.in-addr.arpa',
      type: 'PTR',
      want: 'NOERROR web.default.svc.cluster.local',
    },
    {
      name: 'PTR of an endpoint',
      ask: '2.1.244.10.in-addr.arpa',
      type: 'PTR',
      want: 'NOERROR db-0.db.default.svc.cluster.local',
    },
    { name: 'PTR of a free address of ours', ask: '9.9.244.10.in-addr.arpa', type: 'PTR', want: absent },
    { name: 'a reverse name has no address', ask: '5.0.96.10.in-addr.arpa', type: 'A', want: nothing },
    { name: 'PTR of others', ask: '1.2.0.192.in-addr.arpa', type: 'PTR', want: 'asked elsewhere' },
    { name: 'other zones', ask: 'example.org', want: 'asked elsewhere' },
    { name: 'a zone that only ends alike', ask: 'xcluster.local', want: 'asked elsewhere' },
  ];

t.test('answers from the cluster', async (t) => {
  for (const { name, ask, type = 'A', want } of cases) {
    const answer = answerFromCluster({ name: ask, type }, view, zone);
    const soa = answer?.authorities.some((record) => record.type === 'SOA') === true ? ['+ SOA'] : [];
    const got =
      answer === undefined ? 'asked elsewhere' : [answer.rcode, ...answer.answers.map(dataOf), ...soa].join(' ');
    t.equal(got, want, name);
  }
});

t.test('SRV answers carry the addresses of their targets', async (t) => {
  const answer = answerFromCluster({ name: '_sql._tcp.db.default.svc.cluster.local', type: 'SRV' }, view, zone);
  t.same(
    answer?.additionals.map((record) => [record.name.split('.')[0], dataOf(record)]),
    [
      ['db-0', '10.244.1.2'],
      ['10-244-2-2', '10.244.2.2'],
    ],
  );
  t.ok(answer?.answers.every((record) => record.ttl === 5));
});
