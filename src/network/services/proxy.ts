// The service proxy of one node: Services and EndpointSlices in, one nft transaction per burst of changes out.
//
//   informer event ─► dirty Services ─► planService ─► ledger ─► nft -f - ─ok─► conntrack clean-up, later unused chains
//                                                                   └failed or table gone─► whole table anew
//
// The first transaction replaces the table, in one step, so established and new connections go on during a restart.

import { type EndpointSlice, kinds, type Service, type Stored } from '../../api/index.ts';
import { CodedError } from '../../base/index.ts';
import { type Informer, keyOf } from '../../client/index.ts';
import type { NetworkConfig, NetworkDependencies } from '../config.ts';
import { startReconciler } from '../reconciler.ts';
import { serviceKeyOf, slicesByService } from '../service-index.ts';
import { deleteFlows, staleFlows } from './conntrack.ts';
import { createLedger } from './ledger.ts';
import { table, tableFamily, tableName, type UdpFlow } from './model.ts';
import { emptyPlan, planService } from './plan.ts';

export interface ServiceProxy {
  readonly waitingFor: string | undefined;
  readonly ended: Promise<void>;
}

/** ms; a burst is gathered, but one change alone should be in the kernel before anybody can look. */
const gather = 3;
/** ms; how long an unused chain stays, as the next scaling may want it again. */
const unusedAfter = 5_000;
/** ms between looks whether somebody flushed the ruleset (restarting a firewall does). */
const guardInterval = 30_000;

/** Throws CodedError NFT_MISSING when there is no nft program. */
export async function startServiceProxy(
  deps: NetworkDependencies,
  config: NetworkConfig,
  signal: AbortSignal,
): Promise<ServiceProxy> {
  const { host, informers, clock } = deps;
  const logger = deps.logger.with({ part: 'services' });
  if ((await host.which('nft')) === undefined) {
    throw new CodedError('NFT_MISSING', 'the program nft is not installed', {
      exit: 'preflight',
      hint: 'apt-get install nftables, or set serviceProxy to "off" and run another proxy',
    });
  }
  const hasConntrack = (await host.which('conntrack')) !== undefined;
  if (!hasConntrack) {
    logger.warn('conntrack is not installed: UDP clients may keep talking to endpoints that are gone', {
      hint: 'apt-get install conntrack',
    });
  }
  const dnsAddress = config.dns === 'on' ? config.clusterDns : undefined;
  const context = { nodeName: config.nodeName, dnsAddress };
  const ledger = createLedger({ podCidr: config.podCidr, serviceCidr: config.serviceCidr, dnsAddress });
  const services = informers.informer(kinds.service);
  const slices = informers.informer(kinds.endpointSlice);
  slices.addIndex(slicesByService, serviceKeyOf);
  const dirty = new Set<string>();
  let stale: UdpFlow[] = [];
  /** The table does not hold what the ledger believes. */
  let outOfStep = true;
  let sweep: 'none' | 'later' | 'due' = 'none';

  const reconciler = startReconciler({ name: 'service proxy', run: reconcile, gather, clock, logger, signal });
  watch(services, (service) => [keyOf(service)]);
  watch(slices, serviceKeyOf);
  reconciler.poke();
  const guarded = guard();
  return {
    get waitingFor() {
      if (reconciler.lastError !== undefined) return `service rules cannot be written: ${reconciler.lastError}`;
      return reconciler.runs === 0 ? 'service rules have not been written yet' : undefined;
    },
    ended: Promise.all([reconciler.ended, guarded]).then(() => undefined),
  };

  function watch<T extends Service | EndpointSlice>(
    informer: Informer<T>,
    keysOf: (object: Stored<T>) => readonly string[],
  ): void {
    const touch = (object: Stored<T>): void => {
      for (const key of keysOf(object)) dirty.add(key);
      reconciler.poke();
    };
    informer.addHandler({
      added: touch,
      updated: (object, previous) => {
        touch(previous);
        touch(object);
      },
      deleted: touch,
    });
  }

  async function reconcile(stop: AbortSignal): Promise<void> {
    await Promise.all([services.synced(stop), slices.synced(stop)]);
    const keys = [...dirty];
    dirty.clear();
    for (const key of keys) replan(key);
    if (outOfStep) await host.record({ kind: 'nft-table', family: tableFamily, name: tableName });
    await apply(outOfStep ? ledger.takeAll() : ledger.takeChanges(), stop);
    if (sweep === 'due') {
      sweep = 'none';
      await apply(ledger.takeUnused(), stop);
    }
    if (hasConntrack) {
      const flows = stale;
      stale = [];
      await deleteFlows(host, flows, stop);
    }
    if (ledger.hasUnused) void sweepLater();
  }

  async function apply(commands: readonly string[], stop: AbortSignal): Promise<void> {
    if (commands.length === 0) return;
    outOfStep = true;
    await host.run('nft', ['-f', '-'], { stdin: `${commands.join('\n')}\n`, signal: stop });
    outOfStep = false;
  }

  function replan(key: string): void {
    const service = services.get(key);
    const before = ledger.planOf(key);
    const plan =
      service === undefined ? emptyPlan : planService(service, slices.byIndex(slicesByService, key), context, before);
    const rivals = ledger.put(key, plan);
    if (rivals.length > 0)
      logger.warn('two Services want the same address and port; the first keeps it', { service: key, rivals });
    stale.push(...staleFlows(before, plan));
  }

  /** Lets a reconcile remove what no Service uses any more, a while after. */
  async function sweepLater(): Promise<void> {
    if (sweep !== 'none') return;
    sweep = 'later';
    try {
      await clock.sleep(unusedAfter, signal);
    } catch {
      return; // stopping
    }
    sweep = 'due';
    reconciler.poke();
  }

  async function guard(): Promise<void> {
    try {
      for (;;) {
        await clock.sleep(guardInterval, signal);
        const options = { accept: [1], readsOnly: true, signal };
        const { code } = await host.run('nft', ['list', 'chain', ...table.split(' '), 'services'], options);
        if (code === 0 || reconciler.runs === 0) continue;
        logger.warn('the service rules were removed by somebody; writing them again');
        outOfStep = true;
        reconciler.poke();
      }
    } catch (error) {
      if (!signal.aborted) logger.error('the service rules are no longer watched', { error });
    }
  }
}
