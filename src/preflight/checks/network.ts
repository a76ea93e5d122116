// The machine's network: what the API server, the overlay and the Services need of it.

import { contains, overlap } from '../../config/index.ts';
import type { Finding, MachineCheck } from '../check.ts';
import { everyNode } from './units.ts';

/** Networks that k8ts makes itself; a route to one is no clash. */
const ownDevices = /^(cni|flannel|k8ts|veth)/;
/** Bytes that a VXLAN packet adds: RFC 7348 §5. */
const overlayOverhead = 50;
/** The least that IPv6 and many programs expect: RFC 8200 §5. */
const leastMtu = 1280;
const loopback = '127.0.0.0/8';

export const networkChecks = [
  {
    id: 'Port',
    severity: 'error',
    roles: everyNode,
    why: 'the API server, the agent and the overlay listen there',
    remedy: 'stop the process that holds the port, or choose another port',
    judge: ({ holders, ownPids, overlayPort }) =>
      holders
        .filter(({ users }) => !users.some(({ pid }) => ownPids.includes(pid)))
        .map(({ port, users: [user] }) => ({
          id: `Port-${port}`,
          message: `port ${port} is held by ${user === undefined ? 'another process' : `pid ${user.pid} (${user.program})`}`,
          fix: `stop that process${portAdvice[port] ?? (port === overlayPort ? ', or set networking.overlay.port' : ', or pass --apiserver-bind-port')}`,
        })),
  },
  {
    id: 'DefaultRoute',
    severity: 'warning',
    roles: everyNode,
    why: 'the node’s address is chosen by it, and what is outside of the cluster is reached by it',
    remedy: 'add a default route',
    judge: ({ hasDefaultRoute }) =>
      hasDefaultRoute
        ? []
        : [
            {
              id: 'DefaultRoute',
              message: 'there is no default route',
              fix: 'ip route add default via GATEWAY; a route to nowhere is enough',
            },
          ],
  },
  {
    id: 'CIDROverlap',
    severity: 'error',
    roles: everyNode,
    why: 'addresses that this machine routes elsewhere cannot be reached as pods or Services',
    remedy: 'use another range for pods or Services',
    judge: (facts) => overlapFindings(facts, (what) => `pass another ${what} to k8ts init`),
  },
  {
    id: 'MTU',
    severity: 'warning',
    roles: everyNode,
    why: 'a packet between pods is 50 bytes longer on the wire; what is left for it has to be 1280',
    remedy: 'raise the MTU of the link between the nodes to at least 1330',
    judge: ({ underlay }) =>
      underlay === undefined || underlay.mtu >= leastMtu + overlayOverhead
        ? []
        : [
            {
              id: 'MTU',
              message: `${underlay.device} has MTU ${underlay.mtu}, which leaves ${underlay.mtu - overlayOverhead} for packets between pods`,
              fix: `ip link set dev ${underlay.device} mtu 1500, and the same in the network's configuration`,
            },
          ],
  },
  {
    id: 'ResolvLoop',
    severity: 'error',
    roles: everyNode,
    why: 'the cluster DNS asks the machine’s nameservers about names outside; one that asks back is a loop',
    remedy: 'name a real nameserver in /etc/resolv.conf',
    judge: ({ nameservers: { file, addresses }, serviceCidr }) =>
      addresses.flatMap((address): Finding[] => {
        const isCluster = serviceCidr !== undefined && !address.includes(':') && contains(serviceCidr, address);
        const isStub = address === '::1' || (!address.includes(':') && contains(loopback, address));
        if (!isCluster && !isStub) return [];
        const found = {
          id: 'ResolvLoop',
          message: isCluster
            ? `${file} names ${address}, an address of the cluster's own Services`
            : `${file} names ${address}, which a pod with the machine's DNS settings cannot reach`,
          fix: `put the address of a real nameserver into ${file}`,
        };
        return [isCluster ? found : { ...found, severity: 'warning' }];
      }),
  },
  {
    id: 'IptablesBackend',
    severity: 'warning',
    roles: everyNode,
    why: 'rules of the old and the new iptables both filter, and neither program shows the other’s',
    remedy: 'use one backend on the machine: iptables-nft',
    judge: ({ iptables: { backend, legacyRules } }) =>
      legacyRules === 0
        ? []
        : [
            {
              id: 'IptablesBackend',
              message:
                backend === 'legacy'
                  ? `iptables writes to the old tables (${legacyRules} rules), the service proxy to nftables`
                  : `${legacyRules} rules are in the old iptables tables, which iptables-nft does not show`,
              fix: 'update-alternatives --set iptables /usr/sbin/iptables-nft; look at the old rules with iptables-legacy-save, then reboot',
            },
          ],
  },
  {
    id: 'IptablesForward',
    severity: 'warning',
    roles: everyNode,
    why: 'Docker and some firewalls drop what a machine forwards; pods of one node reach each other and others only by forwarding',
    remedy: 'accept what comes from pods and goes to them',
    judge: ({ iptables: { saved }, podCidr }) => {
      if (podCidr === undefined || !/^:FORWARD DROP/m.test(saved)) return [];
      const missing = ['-s', '-d'].filter((side) => !saved.includes(`-A FORWARD ${side} ${podCidr} -j ACCEPT`));
      if (missing.length === 0) return [];
      return [
        {
          id: 'IptablesForward',
          message: 'iptables drops what this machine forwards (policy of the chain FORWARD), packets of pods as well',
          fix: missing.map((side) => `iptables -I FORWARD ${side} ${podCidr} -j ACCEPT`).join('; '),
        },
      ];
    },
  },
  {
    id: 'Firewalld',
    severity: 'warning',
    roles: everyNode,
    why: 'a firewall that is on drops what nodes and pods send to each other, unless it is told not to',
    remedy: 'open the cluster’s ports, or turn the firewall off',
    judge: ({ firewall, ports, overlayPort }) => {
      if (firewall === undefined) return [];
      const wanted = [...ports.map((port) => `${port}/tcp`), `${overlayPort}/udp`];
      const fix =
        firewall === 'ufw'
          ? `${wanted.map((port) => `ufw allow ${port}`).join('; ')}; ufw default allow routed`
          : `firewall-cmd --permanent ${wanted.map((port) => `--add-port=${port}`).join(' ')}; firewall-cmd --permanent --zone=trusted --add-interface=cni0; firewall-cmd --reload`;
      return [{ id: 'Firewalld', message: `${firewall} is on; ${wanted.join(', ')} must be open`, fix }];
    },
  },
  {
    id: 'HTTPProxy',
    severity: 'warning',
    roles: everyNode,
    why: 'kubectl and other clients started from here would go to the API server through the proxy',
    remedy: 'name the API server in no_proxy',
    judge: ({ proxies: { https, except }, apiHost }) =>
      https === undefined || apiHost === undefined || except.some((part) => isCovered(apiHost, part))
        ? []
        : [
            {
              id: 'HTTPProxy',
              message: `https_proxy is ${withoutPassword(https)}, and no_proxy does not name ${apiHost}`,
              fix: `export no_proxy="$no_proxy,${apiHost}"`,
            },
          ],
  },
] as const satisfies readonly MachineCheck[];

const portAdvice: Readonly<Record<number, string>> = {
  10250: '; if it is a kubelet, this machine belongs to another cluster',
};

/** @param fix what to do about an overlap of the range that this flag sets */
export function overlapFindings(
  facts: {
    readonly podCidr: string | undefined;
    readonly serviceCidr: string | undefined;
    readonly routes: readonly { readonly range: string; readonly device: string }[];
  },
  fix: (flag: string) => string,
): Finding[] {
  return [
    { what: 'pod', range: facts.podCidr, flag: '--pod-network-cidr' },
    { what: 'service', range: facts.serviceCidr, flag: '--service-cidr' },
  ].flatMap(({ what, range, flag }) =>
    facts.routes
      .filter(({ device }) => !ownDevices.test(device))
      .filter((route) => range !== undefined && overlap(range, route.range))
      .map((route) => ({
        id: 'CIDROverlap',
        message: `the ${what} range ${range} overlaps ${route.range}, which this machine reaches through ${route.device}`,
        fix: fix(flag),
      })),
  );
}

/** Whether a part of no_proxy means `host`: itself, a domain above it, a range, or all. */
function isCovered(host: string, part: string): boolean {
  if (part === '*' || part === host) return true;
  if (part.includes('/')) return /^[\d.]+$/.test(host) && /^[\d.]+\/\d+$/.test(part) && contains(part, host);
  return host.endsWith(part.startsWith('.') ? part : `.${part}`);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
