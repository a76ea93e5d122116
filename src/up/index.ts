export { parseClusterFile } from './cluster-file.ts';
export { describeFailures, incomplete } from './machines.ts';
export { mergeKubeconfig } from './merge-kubeconfig.ts';
export type { Removal } from './plan.ts';
export { createLiveProgress, createPlainProgress } from './progress.ts';
export { runUp, type UpReport } from './run-up.ts';
export { createReach } from './targets.ts';
