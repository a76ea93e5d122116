export { type Backoff, type BackoffOptions, createBackoff } from './backoff.ts';
export { type BoundedQueue, createBoundedQueue } from './bounded-queue.ts';
export { type Clock, createFakeClock, type FakeClock, longestTimer, systemClock } from './clock.ts';
export {
  CodedError,
  type CodedErrorOptions,
  codeOf,
  describeError,
  exitCodeOf,
  messageOf,
  redact,
} from './errors.ts';
export { type ExitName, exitCodes } from './exit-codes.ts';
export { goDurationMs } from './go-duration.ts';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from './logger.ts';
export { nodeHttp } from './node-http.ts';
export { createSlots, type Slots } from './slots.ts';
export { createWorker } from './worker.ts';
