export { ensureObject } from './ensure-object.ts';
export { type EnsureService, ensureService } from './ensure-service.ts';
export { type PreflightRun, runClusterPreflight, runPreflight } from './preflight.ts';
export { agentServiceSpec, serverServiceSpec } from './services.ts';
export { type AgentStart, setUpHost, startAgent } from './start-agent.ts';
export {
  startDeadline,
  type WaitOptions,
  waitForApi,
  waitForNode,
  waitForReady,
  whyNoCertificate,
  whyNodeNotReady,
} from './wait.ts';
