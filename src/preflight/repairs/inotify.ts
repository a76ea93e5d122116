// Limits of file watches per user, now and after a reboot.

import type { Repair } from '../check.ts';

/** The kernel's own defaults; below them a node with some dozen pods runs out. */
export const leastInotify: Readonly<Record<string, number>> = {
  'fs.inotify.max_user_instances': 128,
  'fs.inotify.max_user_watches': 8192,
};

/** Enough for a machine that is full of pods. */
const raised: Readonly<Record<string, number>> = {
  'fs.inotify.max_user_instances': 512,
  'fs.inotify.max_user_watches': 65_536,
};

const limitsFile = '/etc/sysctl.d/91-k8ts-limits.conf';

export const raiseInotifyLimits: Repair = {
  does: `raises the limits of file watches, and keeps them in ${limitsFile}`,
  async run(host, { sysctls }) {
    const low = Object.entries(raised).filter(([key, value]) => Number(sysctls[key]) < value);
    for (const [key, value] of low) await host.writeSysctl(key, String(value));
    await host.writeFile(limitsFile, low.map(([key, value]) => `${key} = ${value}\n`).join(''));
  },
};
