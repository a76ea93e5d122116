export type { Check, Severity } from './check.ts';
export { clusterChecks } from './checks/cluster.ts';
export { checks } from './checks.ts';
export { type ClusterFacts, gatherClusterFacts, type JoinedCluster } from './cluster-facts.ts';
export { gatherFacts, type PreflightFacts, presentPluginDirs, type Role } from './facts.ts';
export { applyFixes, type Judged, judge, requirePassed } from './run-checks.ts';
