// Limits of file watches per user, now and after a reboot.

import type { Repair } from '../check.ts';

/** What kind and others recommend for a machine full of pods. */
export const wantedInotify: Readonly<Record<string, number>> = {
  'fs.inotify.max_user_instances': 512,
  'fs.inotify.max_user_watches': 65_536,
};

const limitsFile = '/etc/sysctl.d/91-k8ts-limits.conf';

export const raiseInotifyLimits: Repair = {
  does: `raises the limits of file watches, and keeps them in ${limitsFile}`,
  async run(host, { sysctls }) {
    const low = Object.entries(wantedInotify).filter(([key, least]) => Number(sysctls[key]) < least);
    for (const [key, least] of low) await host.writeSysctl(key, String(least));
    await host.writeFile(limitsFile, low.map(([key, least]) => `${key} = ${least}\n`).join(''));
  },
};
