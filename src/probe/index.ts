export { examineNode, type NodeReport, type NodeSetup } from './node-report.ts';
export { askThroughOverlay } from './overlay-question.ts';
export { type Reach, reach } from './reach.ts';
