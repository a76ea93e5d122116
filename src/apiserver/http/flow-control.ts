// How many requests are worked on at once, and who comes first when there are too many. Each request belongs to a priority
// level, by who sent it, and within it to a flow (one user). A level always gets the seats of its share; what others leave
// free it may borrow. A request without a seat waits in its flow's queue; flows of a level take turns, so that one busy
// client does not starve the others. A full queue, or waiting too long, is 429.
// Levels and shares are upstream's defaults; they are not read from FlowSchema objects, which can starve a cluster of its
// own controllers. Watches and streams take no seat. Source: Kubernetes documentation, "API Priority and Fairness".

import { ApiError, type RequestAttributes, type UserInfo } from '../contracts.ts';

export interface FlowLimits {
  /** Seats of all levels together; default 600, upstream's 400 reading and 200 writing. */
  readonly seats?: number;
  /** Requests of one flow that may wait; default 50. */
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
}

export interface LevelState {
  readonly name: LevelName;
  readonly executing: number;
  readonly waiting: number;
  readonly rejected: number;
}

/** Seats are shared out in these proportions. `exempt` takes none. */
const shares = {
  exempt: 0,
  'node-high': 40,
  system: 30,
  'leader-election': 10,
  'workload-high': 40,
  'workload-low': 100,
  'global-default': 20,
  'catch-all': 5,
} as const;

export type LevelName = keyof typeof shares;

interface Waiting {
  readonly mutates: boolean;
  seat(leave: Leave): void;
}

interface Level {
  readonly name: LevelName;
  readonly nominal: number;
  executing: number;
  waiting: number;
  rejected: number;
  /** In the order of their turns. */
  readonly flows: Map<string, Set<Waiting>>;
}

const allShares = Object.values(shares).reduce((sum: number, share) => sum + share, 0);

export function createFlowControl(limits: FlowLimits = {}): FlowControl {
  const { seats = 600, queueLength = 50, queueWaitMs = 15_000 } = limits;
  const names = Object.keys(shares) as LevelName[];
  const levels = Object.fromEntries(names.map((name) => [name, newLevel(name, seats)])) as Record<LevelName, Level>;
  const inTurn = names.map((name) => levels[name]);
  let total = 0;
  let mutating = 0;
  let exempt = 0;

  const mayStart = ({ executing, nominal }: Level): boolean => total < seats || executing < nominal;

  const take = (level: Level, mutates: boolean): Leave => {
    level.executing += 1;
    total += 1;
    if (mutates) mutating += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      level.executing -= 1;
      total -= 1;
      if (mutates) mutating -= 1;
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

  const wait = (level: Level, { attributes, mutates, onGone }: FlowRequest): Promise<Leave> => {
    const flow = attributes.user.name;
    const queue = level.flows.get(flow) ?? new Set();
    if (queue.size >= queueLength) {
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

  const passExempt = (mutates: boolean): Leave => {
    const level = levels.exempt;
    level.executing += 1;
    exempt += 1;
    if (mutates) mutating += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      level.executing -= 1;
      exempt -= 1;
      if (mutates) mutating -= 1;
    };
  };

  return {
    get reading() {
      return total + exempt - mutating;
    },
    get mutating() {
      return mutating;
    },
    levels: () => inTurn.map(({ name, executing, waiting, rejected }) => ({ name, executing, waiting, rejected })),
    enter(request) {
      const level = levels[levelOf(request.attributes)];
      if (level.name === 'exempt') return passExempt(request.mutates);
      // Who waits came first.
      if (level.waiting === 0 && mayStart(level)) return take(level, request.mutates);
      return wait(level, request);
    },
  };
}

function newLevel(name: LevelName, seats: number): Level {
  const nominal = Math.ceil((seats * shares[name]) / allShares);
  return { name, nominal, executing: 0, waiting: 0, rejected: 0, flows: new Map() };
}

/** False when it is not in the queue any more. */
function remove(level: Level, flow: string, one: Waiting): boolean {
  const queue = level.flows.get(flow);
  if (queue?.delete(one) !== true) return false;
  level.waiting -= 1;
  if (queue.size === 0) level.flows.delete(flow);
  return true;
}

const byUser = new WeakMap<UserInfo, LevelName>();
const probes = new Set(['/healthz', '/livez', '/readyz']);

/** Source: apiserver pkg/apis/flowcontrol/bootstrap, the suggested and mandatory flow schemas. */
export function levelOf(attributes: RequestAttributes): LevelName {
  const { user } = attributes;
  const known = byUser.get(user);
  const level = known ?? levelOfUser(user);
  if (known === undefined) byUser.set(user, level);
  if (!attributes.isResourceRequest) return probes.has(attributes.path) ? 'exempt' : level;
  if (level === 'system') return isNodeHeartbeat(attributes) ? 'node-high' : level;
  return level === 'workload-high' && isLeaderElection(attributes) ? 'leader-election' : level;
}

function levelOfUser({ name, groups }: UserInfo): LevelName {
  if (groups.includes('system:masters')) return 'exempt';
  if (groups.includes('system:nodes')) return 'system';
  if (name === 'system:kube-controller-manager' || name === 'system:kube-scheduler') return 'workload-high';
  if (groups.includes('system:serviceaccounts:kube-system')) return 'workload-high';
  if (groups.includes('system:serviceaccounts')) return 'workload-low';
  if (groups.includes('system:authenticated') || groups.includes('system:unauthenticated')) return 'global-default';
  return 'catch-all';
}

function isNodeHeartbeat({ resource, apiGroup }: RequestAttributes): boolean {
  return (resource === 'nodes' && apiGroup === '') || (resource === 'leases' && apiGroup === 'coordination.k8s.io');
}

function isLeaderElection({ resource, apiGroup, verb }: RequestAttributes): boolean {
  if (resource !== 'leases' || apiGroup !== 'coordination.k8s.io') return false;
  return verb === 'get' || verb === 'create' || verb === 'update';
}

function tooMany(): ApiError {
  return new ApiError('TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 });
}
