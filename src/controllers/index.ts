export { type ControllerOptions, defaultControllerOptions } from './options.ts';
export type { EventSink } from './runner.ts';
export { type ControllersDeps, type RunningControllers, startControllers } from './start.ts';
export { controllerNames } from './table.ts';
