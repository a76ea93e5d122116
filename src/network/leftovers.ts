// What this folder leaves on a host, for reset and for people. Everything is in the host's journal before it is made; this
// list is for hosts whose journal is lost.

import { bridgeName, conflistName, leaseDir } from './cni/conflist.ts';
import type { NetworkConfig } from './config.ts';
import { linkName } from './overlay/link.ts';
import { serviceLinkName } from './service-link.ts';
import { tableFamily, tableName } from './services/model.ts';

export interface NetworkLeftovers {
  readonly links: readonly string[];
  readonly tables: readonly { readonly family: string; readonly name: string }[];
  readonly files: readonly string[];
  readonly directories: readonly string[];
}

export function networkLeftovers(config: Pick<NetworkConfig, 'cni' | 'dataDir' | 'overlay'>): NetworkLeftovers {
  return {
    links: [linkName(config.overlay.vni), serviceLinkName, bridgeName],
    tables: [{ family: tableFamily, name: tableName }],
    files: [`${config.cni.confDir}/${conflistName}`],
    directories: [leaseDir(config.dataDir)],
  };
}
