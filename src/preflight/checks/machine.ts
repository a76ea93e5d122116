// The machine itself: rights, size, swap, disks, name.

import type { MachineCheck } from '../check.ts';
import { nameInHosts } from '../repairs/hosts-file.ts';
import { swapOff } from '../repairs/swap.ts';
import { everyNode, mebibyte, mib } from './units.ts';

const diskNeeded = 1024 * mebibyte;
const diskWanted = 5 * 1024 * mebibyte;

export const machineChecks = [
  {
    id: 'IsPrivilegedUser',
    severity: 'error',
    roles: everyNode,
    why: 'network links, mounts and kernel settings belong to root',
    remedy: 'run the command with sudo',
    judge: ({ uid }) =>
      uid === 0 ? [] : [{ id: 'IsPrivilegedUser', message: `running as uid ${uid}`, fix: 'run the command with sudo' }],
  },
  {
    id: 'NumCPU',
    severity: 'warning',
    roles: ['control-plane'],
    why: 'with one processor the API server competes with every pod',
    remedy: 'give the machine another processor',
    judge: ({ processors }) =>
      processors >= 2
        ? []
        : [{ id: 'NumCPU', message: `${processors} processor; 2 are recommended`, fix: 'give the machine another' }],
  },
  {
    id: 'Mem',
    severity: 'error',
    roles: ['control-plane'],
    why: 'the control plane and the agent need about 300 MiB, and pods need some as well',
    remedy: 'use a machine with at least 700 MiB of memory',
    judge: ({ memoryBytes }) =>
      memoryBytes >= 700 * mebibyte
        ? []
        : [
            {
              id: 'Mem',
              message: `${mib(memoryBytes)} of memory; 700 MiB are needed`,
              fix: 'use a machine with more memory',
            },
          ],
  },
  {
    id: 'Swap',
    severity: 'error',
    roles: everyNode,
    why: 'a pod that is swapped out keeps its memory limit and loses its latency',
    remedy: 'turn swap off, and take its lines out of /etc/fstab',
    repair: swapOff,
    judge: ({ swaps }) =>
      swaps.length === 0
        ? []
        : [
            {
              id: 'Swap',
              message: `swap is on: ${swaps.join(', ')}`,
              fix: 'swapoff -a, and take the swap lines out of /etc/fstab',
            },
          ],
  },
  {
    id: 'DiskFree',
    severity: 'error',
    roles: everyNode,
    why: 'images, logs and the datastore live under /var/lib; a full disk stops all of them',
    remedy: 'free at least 1 GiB under /var/lib; below 5 GiB is a warning',
    judge: ({ disks }) =>
      disks
        .filter(({ freeBytes }) => freeBytes < diskWanted)
        .map(({ mount, freeBytes }) => ({
          id: 'DiskFree',
          message: `${mib(freeBytes)} free on ${mount}; ${freeBytes < diskNeeded ? '1 GiB is needed' : '5 GiB are recommended'}`,
          fix: `free some space on ${mount} (df -h ${mount})`,
          ...(freeBytes < diskNeeded ? {} : { severity: 'warning' as const }),
        })),
  },
  {
    id: 'Hostname',
    severity: 'warning',
    roles: everyNode,
    why: 'programs that look their own name up wait for a timeout otherwise',
    remedy: 'add the name to /etc/hosts',
    repair: nameInHosts,
    judge: ({ nodeName, nodeNameAddress, nodeIp }) =>
      nodeNameAddress !== undefined
        ? []
        : [
            {
              id: 'Hostname',
              message: `the node name ${nodeName} does not resolve`,
              fix: `add it to /etc/hosts: echo "${nodeIp ?? 'ADDRESS'} ${nodeName}" >> /etc/hosts`,
            },
          ],
  },
] as const satisfies readonly MachineCheck[];
