// All checks of a machine, in the order in which their findings are shown. kubeadm's ids where it has the check, so that
// --ignore-preflight-errors lists keep working. What k8ts sets itself (ip_forward, bridge netfilter, modules) is checked only
// for being settable.

import type { MachineCheck } from './check.ts';
import { kernelChecks } from './checks/kernel.ts';
import { leftoverChecks } from './checks/leftovers.ts';
import { machineChecks } from './checks/machine.ts';
import { networkChecks } from './checks/network.ts';
import { runtimeChecks } from './checks/runtime.ts';

export const checks: readonly MachineCheck[] = [
  ...machineChecks,
  ...runtimeChecks,
  ...kernelChecks,
  ...networkChecks,
  ...leftoverChecks,
];
