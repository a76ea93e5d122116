export { answerOf, type ComponentCheck, checkOfStore, checkOnLoopback, componentPorts } from './components.ts';
export { type HealthCheck, healthAnswer } from './health.ts';
export { createMetrics, type Gauge, type Metrics, type RequestLabels } from './metrics.ts';
