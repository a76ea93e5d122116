// How many requests are worked on at once, and who comes first when there are too many. Each request belongs to a priority
// level, by who sent it, and within it to a flow (one user). A level always gets the seats of its share; what others leave
// free it may borrow. A request without a seat waits in its flow's queue; flows of a level take turns, so that one busy
// client does not starve the others. A full queue, or waiting too long, is 429.
// Levels, shares and rules come from PriorityLevelConfiguration and FlowSchema objects. In simple form: whatever is free may
// be borrowed, and every flow has a row of its own instead of a hand of queues. Watches and streams take no seat.
// Source: Kubernetes documentation, "API Priority and Fairness".

import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';
import { flowSchemas, priorityLevels } from '../bootstrap/index.ts';
import { ApiError, type RequestAttributes } from '../contracts.ts';
import { compileFlowSchemas } from './flow-schemas.ts';

export interface FlowLimits {
  /** Seats of all levels together; default 600, upstream's 400 reading and 200 writing. */
  readonly seats?: number;
  /** Requests of one flow that may wait; default: what the level says. */
  readonly queueLength?: number;
  /** How long one may wait, ms; default 15 s, a quarter of upstream's request timeout. */
  readonly queueWaitMs?: number;
}

export type Leave = () => void;

export interface FlowRequest {
  readonly attributes: RequestAttributes;
  readonly mutates: boolean;
  /** Calls `handler` when the client goes away. */
  onGone(handler: () => void): void;
}

export interface FlowControl {
  readonly reading: number;
  readonly mutating: number;
  /** Now, for metrics. */
  levels(): readonly LevelState[];
  /**
   * Answers at once, or when there is a seat, what must be called once when the request is done. Throws or rejects with
   * ApiError 429.
   */
  enter(request: FlowRequest): Leave | Promise<Leave>;
  /** From now on requests are judged by these; who waits already stays where it is. */
  configure(objects: FlowObjects): void;
}

export interface FlowObjects {
  readonly schemas: readonly FlowSchema[];
  readonly levels: readonly PriorityLevelConfiguration[];
}

export interface LevelState {
  readonly name: string;
  readonly executing: number;
  readonly waiting: number;
  readonly rejected: number;
}

interface Waiting {
  readonly mutates: boolean;
  seat(leave: Leave): void;
}

interface Level {
  readonly name: string;
  /** Takes no seats. */
  isExempt: boolean;
  nominal: number;
  /** Of one flow; 0: who finds no seat is refused. */
  queueLength: number;
  executing: number;
  waiting: number;
  rejected: number;
  /** In the order of their turns. */
  readonly flows: Map<string, Set<Waiting>>;
}

export function createFlowControl(limits: FlowLimits = {}): FlowControl {
  const { seats = 600, queueWaitMs = 15_000 } = limits;
  const levels = new Map<string, Level>();
  let inTurn: readonly Level[] = [];
  let classify = compileFlowSchemas([], () => false);
  let total = 0;
  let mutating = 0;
  let exempt = 0;

  const mayStart = ({ executing, nominal }: Level): boolean => total < seats || executing < nominal;

  const take = (level: Level, mutates: boolean): Leave => {
    const { isExempt } = level; // which a change of its object may change meanwhile
    const count = (by: 1 | -1): void => {
      level.executing += by;
      if (isExempt) exempt += by;
      else total += by;
      if (mutates) mutating += by;
    };
    count(1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      count(-1);
      if (isExempt) return;
      if (level.waiting > 0) seatNext(level);
      else for (const other of inTurn) if (other.waiting > 0) seatNext(other);
    };
  };

  const seatNext = (level: Level): void => {
    if (!mayStart(level)) return;
    const [turn] = level.flows;
    if (turn === undefined) return;
    const [flow, queue] = turn;
    const [next] = queue;
    if (next === undefined) return;
    // To the end of the row, so that the next flow has its turn.
    level.flows.delete(flow);
    level.flows.set(flow, queue);
    remove(level, flow, next);
    next.seat(take(level, next.mutates));
  };

  const wait = (level: Level, flow: string, { mutates, onGone }: FlowRequest): Promise<Leave> => {
    const queue = level.flows.get(flow) ?? new Set();
    if (queue.size >= level.queueLength) {
      level.rejected += 1;
      throw tooMany();
    }
    return new Promise((resolve, reject) => {
      const give = (leave: Leave): void => {
        clearTimeout(timer);
        resolve(leave);
      };
      const one: Waiting = { mutates, seat: give };
      const timer = setTimeout(() => {
        if (!remove(level, flow, one)) return;
        level.rejected += 1;
        reject(tooMany());
      }, queueWaitMs);
      level.flows.set(flow, queue.add(one));
      level.waiting += 1;
      onGone(() => {
        clearTimeout(timer);
        if (remove(level, flow, one)) reject(tooMany());
      });
    });
  };

  const configure = ({ schemas, levels: given }: FlowObjects): void => {
    const configured = withMandatory(given, priorityLevels);
    const allShares = configured.reduce((sum, { spec }) => sum + (spec?.limited?.nominalConcurrencyShares ?? 0), 0);
    const next = configured.map(({ metadata, spec }): Level => {
      const name = metadata?.name ?? '';
      const level = levels.get(name) ?? newLevel(name);
      const { nominalConcurrencyShares: shares = 0, limitResponse } = spec?.limited ?? {};
      level.isExempt = spec?.type === 'Exempt';
      level.nominal = Math.ceil((seats * shares) / Math.max(allShares, 1));
      const length = limitResponse?.type === 'Queue' ? (limitResponse.queuing?.queueLengthLimit ?? 50) : 0;
      level.queueLength = Math.min(length, limits.queueLength ?? length);
      return level;
    });
    // A level that is gone still has those who wait in it.
    const busy = inTurn.filter((level) => !next.includes(level) && level.waiting > 0);
    levels.clear();
    for (const level of next) levels.set(level.name, level);
    inTurn = [...next, ...busy];
    classify = compileFlowSchemas(withMandatory(schemas, flowSchemas), (name) => levels.has(name));
  };
  configure({ schemas: flowSchemas, levels: priorityLevels });

  return {
    configure,
    get reading() {
      return total + exempt - mutating;
    },
    get mutating() {
      return mutating;
    },
    levels: () => inTurn.map(({ name, executing, waiting, rejected }) => ({ name, executing, waiting, rejected })),
    enter(request) {
      const { level: name, flow } = classify(request.attributes);
      const level = levels.get(name) ?? levels.get('catch-all');
      if (level === undefined) throw tooMany();
      if (level.isExempt) return take(level, request.mutates);
      // Who waits came first.
      if (level.waiting === 0 && mayStart(level)) return take(level, request.mutates);
      return wait(level, flow, request);
    },
  };
}

function newLevel(name: string): Level {
  return { name, isExempt: false, nominal: 0, queueLength: 0, executing: 0, waiting: 0, rejected: 0, flows: new Map() };
}

/** exempt and catch-all are there whatever is stored: without them a cluster could lock itself out. */
function withMandatory<T extends FlowSchema | PriorityLevelConfiguration>(
  given: readonly T[],
  defaults: readonly T[],
): readonly T[] {
  const isMandatory = ({ metadata }: T): boolean => metadata?.name === 'exempt' || metadata?.name === 'catch-all';
  return [...defaults.filter(isMandatory), ...given.filter((one) => !isMandatory(one))];
}

/** False when it is not in the queue any more. */
function remove(level: Level, flow: string, one: Waiting): boolean {
  const queue = level.flows.get(flow);
  if (queue?.delete(one) !== true) return false;
  level.waiting -= 1;
  if (queue.size === 0) level.flows.delete(flow);
  return true;
}

function tooMany(): ApiError {
  return new ApiError('TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 });
}
