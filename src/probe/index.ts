export { examineNode, type NodeReport, type NodeSetup } from './node-report.ts';
export { type AskedNode, askThroughOverlay, type ClusterName } from './overlay-question.ts';
export { type Reach, type ReachOutcome, reach } from './reach.ts';
