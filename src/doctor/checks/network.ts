// Between the nodes: do they reach each other's agents, and through the overlay; large packets too?

import { reported } from '../nodes.ts';
import type { Complaint, DoctorCheck, NodePath, Observations, PathState } from '../observations.ts';
import { blame, type Pair, pathsOf, type Trouble } from '../paths.ts';

/** IPv4 20 + UDP 8 + VXLAN 8 + inner Ethernet 14 (RFC 7348 §5). */
const overlayOverhead = 50;

const isSmallLost = ({ outcome }: PathState): boolean => outcome !== 'ok' && outcome !== 'large-lost';

export const networkChecks = [
  {
    id: 'AgentUnreachable',
    severity: 'error',
    why: 'the API server reads logs and opens shells by the agent’s port; its silence also means that nobody tends the pods',
    remedy: 'start the agent, or open TCP 10250 between the nodes',
    judge: (observed) => {
      const paths = pathsOf(observed);
      const failing = paths.filter(({ direct }) => isSmallLost(direct));
      return [...new Set(failing.map(({ to }) => to))].flatMap((to) => {
        const here = failing.filter((path) => path.to === to);
        const isEverybody = here.length === paths.filter((path) => path.to === to).length;
        return isEverybody ? [unreachable(here)] : here.map((path) => unreachable([path]));
      });
    },
  },
  {
    id: 'OverlayUDP',
    severity: 'error',
    why: 'pods of different nodes, and Services that lead to them, are reached in UDP packets between the nodes',
    remedy: 'open the overlay’s UDP port between all nodes, in both directions',
    judge: (observed) =>
      troubles(observed, isSmallLost, (who, pair) => ({
        cause: `no packet of the overlay passes ${who}, though the nodes reach each other directly (${pair})`,
        remedy:
          'open UDP port 8472 (or what networking.overlay.port says) in the firewall of the machine and of the network: nft list ruleset | grep -B5 drop',
      })),
  },
  {
    id: 'PacketsLost',
    severity: 'error',
    why: 'connections are made and then hang as soon as they carry much',
    remedy: 'give all links between the nodes the same MTU, or let ICMP "fragmentation needed" pass',
    judge: (observed) => [
      ...troubles(
        observed,
        ({ outcome }) => outcome === 'large-lost',
        (who, pair) => ({
          cause: `small packets of the overlay pass ${who}, large ones are lost (${pair})`,
          remedy:
            'compare the MTU of the links between the nodes (ip link); lower that of the nodes to what the way carries',
        }),
      ),
      ...pathsOf(observed)
        .filter(({ direct }) => direct.outcome === 'large-lost')
        .map(({ from, to, direct }) => ({
          subject: `${from}, ${to}`,
          cause: `from ${from}, ${direct.target} takes a connection and then answers no large packet`,
          remedy: `compare the MTU of the links between the two (ip link); if they agree, look at the agent of ${to}: k8ts status`,
        })),
    ],
  },
  {
    id: 'OverlayMTU',
    severity: 'warning',
    why: 'a pod sends packets of the size of its node’s overlay; where that is wrong they are cut, or lost',
    remedy: 'set the MTU of the overlay’s link to that of the machine’s link less 50',
    judge: (observed) =>
      reported(observed).flatMap(([node, { report }]): Complaint[] => {
        const { underlay, overlay } = report;
        if (underlay === undefined) return [];
        if (overlay === undefined) {
          const cause = 'the node has no overlay link';
          return [
            { subject: node, cause, remedy: 'restart its agent: systemctl restart k8ts-agent', severity: 'error' },
          ];
        }
        const fits = underlay.mtu - overlayOverhead;
        if (overlay.mtu === fits) return [];
        return [
          {
            subject: node,
            cause: `${overlay.device} has MTU ${overlay.mtu}; ${fits} fits into ${underlay.device} (${underlay.mtu})`,
            remedy: `on ${node}: ip link set dev ${overlay.device} mtu ${fits}`,
            severity: overlay.mtu > fits ? 'error' : 'warning',
          },
        ];
      }),
  },
  {
    id: 'MTUMismatch',
    severity: 'warning',
    why: 'a node with a larger MTU sends packets that another one does not take',
    remedy: 'give the links between the nodes one MTU',
    judge: (observed) => {
      const links = reported(observed).flatMap(([node, { report }]) =>
        report.underlay === undefined ? [] : [{ node, ...report.underlay }],
      );
      const sizes = [...new Set(links.map(({ mtu }) => mtu))].sort((a, b) => a - b);
      if (sizes.length < 2) return [];
      const of = (mtu: number): string => links.flatMap((link) => (link.mtu === mtu ? [link.node] : [])).join(', ');
      return [
        {
          subject: links.map(({ node }) => node).join(', '),
          cause: `the links between the nodes differ: ${sizes.map((mtu) => `${mtu} on ${of(mtu)}`).join('; ')}`,
          remedy: `ip link set dev DEVICE mtu ${sizes[0]} on the others, and the same in their network's configuration`,
        },
      ];
    },
  },
] as const satisfies readonly DoctorCheck[];

/** Ways through the overlay that fail in one manner, between nodes that reach each other directly. */
function troubles(
  observed: Observations,
  isFailing: (state: PathState) => boolean,
  complain: (who: string, pair: string) => Pick<Complaint, 'cause' | 'remedy'>,
): readonly Complaint[] {
  const tried = pathsOf(observed).filter(({ direct, overlay }) => direct.outcome === 'ok' && overlay !== undefined);
  const failing = tried.filter(({ overlay }) => overlay !== undefined && isFailing(overlay));
  return blame(tried, failing).map((trouble) => ({
    subject: namesOf(trouble).join(', '),
    ...complain(whoOf(trouble), trouble.pairs.map(arrow).join(', ')),
  }));
}

function namesOf(trouble: Trouble): readonly string[] {
  return 'node' in trouble ? [trouble.node] : [trouble.between.from, trouble.between.to].sort();
}

function whoOf(trouble: Trouble): string {
  return 'node' in trouble ? `between ${trouble.node} and any other node` : `between ${namesOf(trouble).join(' and ')}`;
}

function arrow({ from, to }: Pair): string {
  return `${from} → ${to}`;
}

/** @param paths to one node, none of which works */
function unreachable(paths: readonly NodePath[]): Complaint {
  const [first] = paths;
  const { to, direct } = first ?? { to: '', direct: { target: '', outcome: 'failed' } };
  const from = paths.map((path) => path.from).join(', ');
  const seen = {
    refused: `nothing listens on ${direct.target}: its agent does not run`,
    unroutable: `there is no way to ${direct.target}`,
  }[direct.outcome as string];
  const remedies = {
    refused: `on ${to}: systemctl start k8ts-agent (or: k8ts status, which says why it does not run)`,
    unroutable: `on ${from}: ip route get ${direct.target.split(':')[0]}`,
  }[direct.outcome as string];
  return {
    subject: to,
    cause: `${seen ?? `${direct.target} does not answer`} (seen from ${from})`,
    remedy: remedies ?? `start the machine; open TCP port ${direct.target.split(':')[1]} in its firewall`,
  };
}
