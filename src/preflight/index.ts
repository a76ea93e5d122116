export { type Check, checks, type Finding } from './checks.ts';
export { gatherFacts, type PreflightFacts, type PreflightOptions, presentPluginDirs, type Role } from './facts.ts';
export { type Judged, judge, requirePassed } from './run-checks.ts';
