// A pod as the runtime's sandbox: names, log folder, DNS, host ports, cgroup, namespaces. Pure.

import { type Pod, qosClassOf } from '../../api/index.ts';
import type { CgroupDriver, PodSandboxConfig } from '../../cri/index.ts';
import type { AgentPaths } from '../paths.ts';
import { type DnsConfig, podDns, podHostname } from './dns.ts';
import { nameOf, podLabels } from './identity.ts';
import { podCgroup } from './resources.ts';
import { sandboxSecurity } from './security.ts';

export interface SandboxSettings {
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly hostDns: DnsConfig;
  readonly cgroupDriver: CgroupDriver;
  readonly paths: AgentPaths;
}

export function sandboxConfig(pod: Pod, attempt: number, settings: SandboxSettings): PodSandboxConfig {
  const name = nameOf(pod);
  const { hostNetwork = false, setHostnameAsFQDN = false, securityContext = {} } = pod.spec ?? {};
  const { hostname, fqdn } = podHostname(pod, settings.clusterDomain);
  return {
    metadata: { ...name, attempt },
    // runc refuses a host name where the pod has the node's own.
    ...(hostNetwork ? {} : { hostname: setHostnameAsFQDN ? (fqdn ?? hostname) : hostname }),
    logDirectory: settings.paths.podLogDir(name),
    dnsConfig: podDns(pod, { dns: settings.clusterDns, domain: settings.clusterDomain }, settings.hostDns),
    portMappings: hostNetwork ? [] : portMappings(pod),
    labels: podLabels(pod),
    annotations: pod.metadata?.annotations ?? {},
    linux: {
      cgroupParent: podCgroup(name.uid, qosClassOf(pod), settings.cgroupDriver),
      securityContext: sandboxSecurity(pod),
      sysctls: Object.fromEntries((securityContext.sysctls ?? []).map(({ name: key, value }) => [key, value])),
    },
  };
}

function portMappings(pod: Pod): NonNullable<PodSandboxConfig['portMappings']> {
  return (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort, containerPort, protocol, hostIP = '' }) => ({
        protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP',
        containerPort,
        hostPort,
        hostIp: hostIP,
      })),
  );
}
