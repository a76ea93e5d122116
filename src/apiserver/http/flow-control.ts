// How many requests are worked on at once, and who comes first when there are too many. Each request belongs to a priority
// level, by who sent it, and within it to a flow (one user, one namespace). A level always gets the seats of its share; what
// others leave free and lend it may borrow, up to its own limit. A request without a seat waits in the shortest queue of its
// flow's hand (shuffle-sharding.ts); the queues of a level take turns, so that one busy client does not starve the others. A
// full queue, or waiting too long, is 429.
// Levels, shares and rules come from PriorityLevelConfiguration and FlowSchema objects. In simple form: seats go back and
// forth with each request instead of every ten seconds, every request takes one, and turns do not weigh how long requests
// last. Watches and streams take no seat.
// Source: Kubernetes documentation, "API Priority and Fairness".

import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';
import { flowSchemas, priorityLevels } from '../bootstrap/index.ts';
import { ApiError, type RequestAttributes } from '../contracts.ts';
import { compileFlowSchemas } from './flow-schemas.ts';
import { handOf } from './shuffle-sharding.ts';

export interface FlowLimits {
  /** Seats of all levels together; default 600, upstream's 400 reading and 200 writing. */
  readonly seats?: number;
  /** Requests that may wait in one queue; default: what the level says. */
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
  /** From now on requests are judged by these; who waits already stays in its queue. */
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
  /** Of the nominal seats, those that nobody else may borrow. */
  kept: number;
  /** Seats with those that may be borrowed. */
  most: number;
  queues: number;
  handSize: number;
  /** Of one queue; 0: who finds no seat is refused. */
  queueLength: number;
  executing: number;
  waiting: number;
  rejected: number;
  /** Those in which somebody waits, by number, in the order of their turns. */
  readonly waitingIn: Map<number, Set<Waiting>>;
}

export function createFlowControl(limits: FlowLimits = {}): FlowControl {
  const { seats = 600, queueWaitMs = 15_000 } = limits;
  const levels = new Map<string, Level>();
  let inTurn: readonly Level[] = [];
  let classify = compileFlowSchemas([], () => false);
  let total = 0;
  let mutating = 0;
  let exempt = 0;
  let allKept = 0;

  const mayStart = ({ isExempt, executing, nominal, most }: Level): boolean => {
    if (isExempt || executing < nominal) return true;
    if (executing >= most || total >= seats) return false;
    return total + allKept < seats || total + keptFree() < seats;
  };

  /** Free seats that their levels do not lend. */
  const keptFree = (): number => inTurn.reduce((sum, { kept, executing }) => sum + Math.max(0, kept - executing), 0);

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
    const [turn] = level.waitingIn;
    if (turn === undefined) return;
    const [index, queue] = turn;
    const [next] = queue;
    if (next === undefined) return;
    // To the end of the row, so that the next queue has its turn.
    level.waitingIn.delete(index);
    level.waitingIn.set(index, queue);
    remove(level, index, next);
    next.seat(take(level, next.mutates));
  };

  const wait = (level: Level, flow: string, { mutates, onGone }: FlowRequest): Promise<Leave> => {
    const index = shortestOf(level, handOf(flow, level));
    const queue = level.waitingIn.get(index) ?? new Set();
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
        if (!remove(level, index, one)) return;
        level.rejected += 1;
        reject(tooMany());
      }, queueWaitMs);
      level.waitingIn.set(index, queue.add(one));
      level.waiting += 1;
      onGone(() => {
        clearTimeout(timer);
        if (remove(level, index, one)) reject(tooMany());
      });
    });
  };

  const configure = ({ schemas, levels: given }: FlowObjects): void => {
    const configured = withMandatory(given, priorityLevels);
    const allShares = configured.reduce((sum, { spec }) => sum + (spec?.limited?.nominalConcurrencyShares ?? 0), 0);
    const next = configured.map(({ metadata, spec }): Level => {
      const name = metadata?.name ?? '';
      const level = levels.get(name) ?? newLevel(name);
      const { nominalConcurrencyShares: shares = 0, limitResponse, ...limited } = spec?.limited ?? {};
      const { lendablePercent = 0, borrowingLimitPercent: percent } = limited;
      const queuing = limitResponse?.type === 'Queue' ? { ...usualQueues, ...limitResponse.queuing } : noQueues;
      level.isExempt = spec?.type === 'Exempt';
      level.nominal = Math.ceil((seats * shares) / Math.max(allShares, 1));
      level.kept = level.nominal - Math.round((level.nominal * lendablePercent) / 100);
      level.most = percent === undefined ? Infinity : level.nominal + Math.round((level.nominal * percent) / 100);
      level.queues = queuing.queues;
      level.handSize = queuing.handSize;
      level.queueLength = Math.min(queuing.queueLengthLimit, limits.queueLength ?? queuing.queueLengthLimit);
      return level;
    });
    // A level that is gone still has those who wait in it.
    const busy = inTurn.filter((level) => !next.includes(level) && level.waiting > 0);
    for (const level of busy) level.kept = 0;
    levels.clear();
    for (const level of next) levels.set(level.name, level);
    inTurn = [...next, ...busy];
    allKept = inTurn.reduce((sum, { kept }) => sum + kept, 0);
    classify = compileFlowSchemas(withMandatory(schemas, flowSchemas), (name) => levels.has(name));
    for (const level of inTurn) for (let left = level.waiting; left > 0; left -= 1) seatNext(level);
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

/** What the API's own defaults are. */
const usualQueues = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const noQueues = { queues: 1, handSize: 1, queueLengthLimit: 0 };

function newLevel(name: string): Level {
  const limits = { nominal: 0, kept: 0, most: 0, queues: 1, handSize: 1, queueLength: 0 };
  return { name, isExempt: false, ...limits, executing: 0, waiting: 0, rejected: 0, waitingIn: new Map() };
}

function shortestOf({ waitingIn }: Level, [first = 0, ...others]: readonly number[]): number {
  const lengthOf = (index: number): number => waitingIn.get(index)?.size ?? 0;
  return others.reduce((best, index) => (lengthOf(index) < lengthOf(best) ? index : best), first);
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
function remove(level: Level, index: number, one: Waiting): boolean {
  const queue = level.waitingIn.get(index);
  if (queue?.delete(one) !== true) return false;
  level.waiting -= 1;
  if (queue.size === 0) level.waitingIn.delete(index);
  return true;
}

function tooMany(): ApiError {
  return new ApiError('TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 });
}
