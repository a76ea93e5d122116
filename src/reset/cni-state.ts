// What the CNI plugins keep of a pod: a cached result, and a chain per pod with host ports. The runtime has them removed
// with the pod; a pod whose runtime died leaves them. Ours are known by the network's name, `k8ts`.
//
//   -A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"k8ts\" id: \"4f…\"" … -j CNI-DN-5a3c…

import type { Host } from '../host/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { ResetContext } from './context.ts';

/** Network, sandbox, device. */
const resultName = /^k8ts-([0-9a-f]+)-/;
const resultDir = '/var/lib/cni/results';
const jumps = 'CNI-HOSTPORT-DNAT';
const isOurs = /name: \\?"k8ts\\?"/;

export const removeCniState: Phase<ResetContext> = {
  name: 'remove-cni-state',
  title: 'Removing what CNI plugins kept',
  run: async ({ host }) => {
    const results = (await host.stat(resultDir)) === undefined ? [] : await host.readDir(resultDir);
    const ids = results.flatMap((name) => resultName.exec(name)?.[1] ?? []);
    const ours = results.filter((name) => ids.some((id) => name.includes(id))); // the loopback's too
    for (const name of ours) await host.remove(`${resultDir}/${name}`);
    await removePodChains(host);
  },
};

async function removePodChains(host: Host): Promise<void> {
  if ((await host.which('iptables')) === undefined) return;
  const iptables = (...args: readonly string[]) => host.run('iptables', ['-w', '-t', 'nat', ...args]);
  const { code, stdout } = await host.run('iptables', ['-w', '-t', 'nat', '-S', jumps], {
    readsOnly: true,
    accept: [1],
  });
  if (code !== 0) return; // no pod with host ports yet
  const rules = stdout.split('\n').filter((line) => line.startsWith(`-A ${jumps} `));
  const ours = rules.flatMap((rule, at) => {
    const chain = / -j (CNI-DN-\w+)$/.exec(rule)?.[1];
    return chain !== undefined && isOurs.test(rule) ? [{ chain, number: at + 1 }] : [];
  });
  // From the last, so that the numbers of those before stay what they are.
  for (const { number } of ours.reverse()) await iptables('-D', jumps, String(number));
  for (const chain of new Set(ours.map((rule) => rule.chain))) {
    await iptables('-F', chain);
    await iptables('-X', chain);
  }
}
