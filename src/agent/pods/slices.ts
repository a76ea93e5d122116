// A pod's cgroup where systemd manages them: a transient slice, which systemd keeps over its own reload and forgets when it
// is stopped. It is asked over D-Bus by busctl(1), as the kubelet asks it. `systemctl set-property` was refused: it leaves a
// file for each pod. Writing into the slice's folder was refused: systemd writes its own values over it.
// Source: systemd.resource-control(5), org.freedesktop.systemd1(5), pkg/kubelet/cm.

import { join } from 'node:path';
import { type Pod, qosClassOf } from '../../api/index.ts';
import { CodedError } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';
import { nameOf } from './identity.ts';
import { cpuWeight, podCgroup, podLimits } from './resources.ts';

const top = 'kubepods.slice';
const bestEffort = 'kubepods-besteffort.slice';

/**
 * PodCgroups by systemd.
 * @param root where the kernel's cgroup hierarchies are mounted
 */
export async function createPodSlices(host: Host, root: string) {
  if ((await host.stat(join(root, top))) === undefined) await host.record({ kind: 'unit', name: top });
  const sliceOf = (pod: Pod): string => podCgroup(nameOf(pod).uid, qosClassOf(pod), 'systemd');
  return {
    async ensure(pod: Pod): Promise<void> {
      // Their class together weighs as little as can be.
      if (qosClassOf(pod) === 'BestEffort') await startSlice(host, bestEffort, ['CPUWeight', 't', '1']);
      await startSlice(host, sliceOf(pod), propertiesOf(pod));
    },
    async remove(pod: Pod): Promise<void> {
      await host.run('systemctl', ['stop', sliceOf(pod)], { accept: [5] }); // 5: there is none
    },
  };
}

/** Name, D-Bus signature and value of each. */
function propertiesOf(pod: Pod): string[] {
  const { shares, quota, memory } = podLimits(pod);
  return [
    ...['CPUWeight', 't', String(cpuWeight(shares))],
    ...(quota === undefined ? [] : ['CPUQuotaPerSecUSec', 't', String(quota * 10)]), // quota is for 100 ms
    ...(memory === undefined ? [] : ['MemoryMax', 't', String(memory)]),
  ];
}

/** One that is there gets the properties. */
async function startSlice(host: Host, name: string, properties: readonly string[]): Promise<void> {
  const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
  const given = [String(properties.length / 3), ...properties];
  const ask = (...call: readonly string[]) =>
    host.run('busctl', ['--quiet', 'call', ...manager, ...call], { accept: [1] });
  const started = await ask('StartTransientUnit', 'ssa(sv)a(sa(sv))', name, 'fail', ...given, '0');
  const isThere = started.code !== 0 && started.stderr.includes('already');
  const { code, stderr } = isThere ? await ask('SetUnitProperties', 'sba(sv)', name, 'true', ...given) : started;
  if (code === 0) return;
  throw new CodedError('SLICE_NOT_STARTED', `systemd does not make ${name}: ${stderr.trim()}`, {
    hint: 'see that dbus runs (apt-get install dbus); until then the limits of containers hold, not those of whole pods',
  });
}
