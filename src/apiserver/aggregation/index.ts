export { type Aggregation, startAggregation } from './aggregation.ts';
export type { FrontProxyCertificate } from './dial.ts';
