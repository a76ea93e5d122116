// Who may ask the agent what. A client certificate of the cluster CA or a bearer token (TokenReview) says who; the cluster
// says whether (SubjectAccessReview on nodes/SUBRESOURCE of this node). Answers are kept a short while, as the kubelet
// does: 2 minutes for tokens, 5 minutes for yes, 30 seconds for no.
// Source: kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { SubjectAccessReview, TokenReview } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import type { ApiClient } from '../../client/index.ts';

export interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
}

export interface AccessControl {
  /** Why the request is refused, with its HTTP status; undefined when it may go on. */
  check(
    request: IncomingMessage,
    path: string,
  ): Promise<{ readonly status: 401 | 403; readonly message: string } | undefined>;
}

const remembered = 1000;
const tokenLife = 120_000;
const allowedLife = 300_000;
const deniedLife = 30_000;

export function createAccessControl(options: {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly nodeName: string;
}): AccessControl {
  const { client, clock, nodeName } = options;
  const callers = createCache<Caller | undefined>(clock);
  const decisions = createCache<boolean>(clock);

  return {
    async check(request, path) {
      const caller = await callerOf(request);
      if (caller === undefined) return { status: 401, message: 'Unauthorized' };
      const verb = verbs[request.method ?? 'GET'] ?? 'get';
      for (const subresource of subresourcesOf(path)) {
        if (await isAllowed(caller, verb, subresource)) return undefined;
      }
      const [first = 'proxy'] = subresourcesOf(path);
      return {
        status: 403,
        message: `Forbidden (user=${caller.name}, verb=${verb}, resource=nodes, subresource(s)=[${first}])`,
      };
    },
  };

  async function callerOf(request: IncomingMessage): Promise<Caller | undefined> {
    const { socket } = request;
    if (socket instanceof TLSSocket && socket.authorized) {
      const { subject } = socket.getPeerCertificate();
      const groups = subject.O === undefined ? [] : [subject.O].flat();
      return { name: String(subject.CN), groups: [...groups, 'system:authenticated'] };
    }
    const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const known = callers.get(key);
    if (known !== undefined) return known.value;
    const review: TokenReview = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const { status } = await post<TokenReview>('/apis/authentication.k8s.io/v1/tokenreviews', review);
    const { username = '', groups = [], uid } = status?.user ?? {};
    const caller =
      status?.authenticated === true ? { name: username, groups, ...(uid === undefined ? {} : { uid }) } : undefined;
    callers.set(key, caller, tokenLife);
    return caller;
  }

  async function isAllowed(caller: Caller, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([caller, verb, subresource]);
    const known = decisions.get(key);
    if (known !== undefined) return known.value;
    const review: SubjectAccessReview = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: caller.name,
        groups: caller.groups,
        ...(caller.uid === undefined ? {} : { uid: caller.uid }),
        resourceAttributes: { verb, group: '', version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    };
    const { status } = await post<SubjectAccessReview>('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    const allowed = status?.allowed === true;
    decisions.set(key, allowed, allowed ? allowedLife : deniedLife);
    return allowed;
  }

  async function post<T>(path: string, review: T): Promise<T> {
    const { status, body } = await client.raw('POST', path, review, { contentType: 'application/json' });
    if (status >= 300) throw new Error(`the API server answered ${status} to ${path}`);
    return JSON.parse(body.toString('utf8')) as T;
  }
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The subresources of the node, any of which opens the path; the narrow one first (KEP-2862). */
function subresourcesOf(path: string): readonly string[] {
  const [, first = ''] = path.split('/');
  switch (first) {
    case 'stats':
    case 'metrics':
      return [first];
    case 'healthz':
      return ['healthz', 'proxy'];
    case 'pods':
    case 'runningpods':
      return ['pods', 'proxy'];
    default:
      return ['proxy'];
  }
}

interface Cache<T> {
  get(key: string): { readonly value: T } | undefined;
  set(key: string, value: T, life: number): void;
}

function createCache<T>(clock: Clock): Cache<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined || entry.until > clock.now()) return entry;
      entries.delete(key);
      return undefined;
    },
    set(key, value, life) {
      entries.set(key, { value, until: clock.now() + life });
      if (entries.size <= remembered) return;
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    },
  };
}
