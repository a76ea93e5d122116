// The stages of `up` that change something: every machine works through its steps, a join waits for the control plane's init,
// and what fails on one machine ends that machine's work and nobody else's.

import { createSlots } from '../base/index.ts';
import { type Bundle, type BundleArchitecture, bundleFor } from '../bundle/index.ts';
import { paths } from '../config/index.ts';
import { init, install, join, noControlPlane, resetHost, settle } from './carry-out.ts';
import type { ClusterAccess, openCluster } from './cluster-access.ts';
import { type Machine, openMachine } from './machines.ts';
import type { HostPlan, Removal, UpPlan } from './plan.ts';
import { deleteNode, drainNode } from './remove-node.ts';
import { type Entry, masterOf, notFailed, type Stage } from './stage.ts';

/** ms for the pods of a node that is removed to go elsewhere. */
const drainPatience = 60_000;

interface ActInput extends Stage {
  readonly openCluster: typeof openCluster;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly cluster: ClusterAccess | undefined;
}

/** @returns the cluster, which init may have made */
export async function act(
  entries: readonly Entry[],
  plan: UpPlan,
  input: ActInput,
): Promise<ClusterAccess | undefined> {
  const { options, attempts, progress, machines } = input;
  const { signal, concurrency, programRoot, file } = options;
  const slots = createSlots(concurrency);
  const bundles = new Map<BundleArchitecture, Promise<Bundle>>();
  const bundleOf = (architecture: BundleArchitecture): Promise<Bundle> => {
    const onMake = (): void => progress.say(`making the archive of k8ts for ${architecture}`);
    const made = bundles.get(architecture) ?? bundleFor(architecture, { root: programRoot, onMake });
    bundles.set(architecture, made);
    return made;
  };
  const masterId = masterOf(entries).id;
  const ready = Promise.withResolvers<ClusterAccess | undefined>();
  if (!plan.hosts.some(({ id, steps }) => id === masterId && steps.some(({ kind }) => kind === 'init')))
    ready.resolve(input.cluster);

  const carryOut = async ({ id, nodeName, steps }: HostPlan): Promise<void> => {
    const entry = entries.find((one) => one.id === id);
    const machine = machines.get(id);
    if (entry === undefined || machine === undefined || steps.length === 0) return;
    const { host } = machine;
    const doing = { host, signal, onLine: (line: string) => progress.passing(id, line) };
    const accessFor = async (): Promise<ClusterAccess> => {
      const access = await ready.promise;
      if (access === undefined) throw noControlPlane(masterId);
      return access;
    };
    for (const step of steps) {
      await attempts.phase(id, step.kind, async () => {
        progress.step(id, step.kind === 'node' ? 'settling labels and taints' : step.kind);
        switch (step.kind) {
          case 'install':
            return install(doing, {
              architecture: machine.seen.architecture,
              bundleOf,
              restarts: machine.seen.nodeName !== undefined,
            });
          case 'init':
            await init(doing, file, entry.host);
            return ready.resolve(
              await input.openCluster(host, (await host.readFile(paths.adminConf)).toString('utf8')),
            );
          case 'join':
            return join(doing, file, entry.host, await (await accessFor()).joinString(signal));
          case 'node':
            await settle(await accessFor(), nodeName, entry.want.node, signal);
        }
      });
    }
    progress.done(id, 'ready');
  };

  await Promise.all(
    plan.hosts.map((host) =>
      slots.use(async () => {
        try {
          await carryOut(host);
        } catch (error) {
          notFailed(error);
        } finally {
          if (host.id === masterId) ready.resolve(undefined); // when it has not come so far, it never will
        }
      }),
    ),
  );
  // No control plane at all (it could not be reached): nobody waits for it any more.
  ready.resolve(input.cluster);
  return ready.promise;
}

export async function removeAll(
  removals: readonly Removal[],
  { options, attempts, progress, cluster }: Stage & { readonly cluster: ClusterAccess | undefined },
): Promise<void> {
  if (cluster === undefined) return;
  const { client } = cluster;
  const { signal, ssh, reachOf, concurrency } = options;
  const slots = createSlots(concurrency);
  const removeOne = async ({ nodeName, ssh: place }: Removal): Promise<void> => {
    const onLine = (line: string): void => progress.passing(nodeName, line);
    progress.step(nodeName, 'moving its pods elsewhere');
    await attempts.phase(nodeName, 'drain', () =>
      drainNode({ client, nodeName, signal, onLine, patience: drainPatience }),
    );
    let reset = false;
    try {
      const reach = await reachOf(place);
      const machine = await openMachine(nodeName, reach, { attempts, progress, ssh, signal, locks: true });
      progress.step(nodeName, 'reset');
      await attempts
        .phase(nodeName, 'reset', () => resetHost({ host: machine.host, signal, onLine }))
        .finally(() => machine.close());
      reset = true;
    } catch (error) {
      notFailed(error);
    }
    // Also when the machine is gone: that is the usual reason why it is not in the file any more.
    await attempts.phase(nodeName, 'delete', () => deleteNode(client, nodeName, signal));
    if (reset) progress.done(nodeName, 'removed');
  };
  await Promise.all(removals.map((removal) => slots.use(() => removeOne(removal).catch(notFailed))));
}
