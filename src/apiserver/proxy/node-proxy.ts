// The subresources that other machines answer: log, exec, attach, portforward and proxy. Paths and query names towards a
// node are the kubelet's own, so an upstream kubelet can stand where our agent stands.

import { Readable } from 'node:stream';
import { kinds, type Pod } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';
import { type Backend, createBackend, readText } from './backend.ts';
import { chooseContainer } from './containers.ts';
import { agentLogQuery } from './log-options.ts';
import { refusedByNode, upgradeToNode, upgradeToWorkload } from './remote-streams.ts';
import { agentOrigin, boundPod, parseProxyName, podOrigin, serviceOrigin } from './targets.ts';
import type { NodeProxy, NodeProxyOptions, ProxyRequest, ProxyResponse, UpgradeRequest } from './types.ts';

export function createNodeProxy(options: NodeProxyOptions): NodeProxy {
  const { reader } = options;
  let current = options;
  let backend = createBackend(options);
  return {
    async handle(request) {
      if (request.subresource === 'log') return log(request, current, backend);
      if (request.subresource === 'proxy') return proxy(request, current, backend);
      // What would be wrong with an upgrade as well is told first.
      boundPod(reader, request.namespace, request.name);
      throw new ApiError(
        'BadRequest',
        `${request.resource}/${request.subresource} needs an upgrade: Upgrade request required`,
      );
    },
    async upgrade(request) {
      if (request.subresource !== 'proxy') return upgradeToNode(request, current);
      if (request.resource === 'nodes') {
        throw new ApiError(
          'BadRequest',
          'nodes/proxy carries no upgrades: use pods/exec, pods/attach or pods/portforward',
        );
      }
      const origin = request.resource === 'pods' ? podOrigin : serviceOrigin;
      return upgradeToWorkload(request, new URL(`${origin(reader, request.namespace, request.name)}${tail(request)}`));
    },
    replaceCertificate(certificate) {
      const before = backend;
      current = { ...current, ...certificate };
      backend = createBackend(current);
      // What is under way ends as it began.
      void before.finish();
    },
    close: () => backend.close(),
  };
}

async function log(request: ProxyRequest, { reader }: NodeProxyOptions, backend: Backend): Promise<ProxyResponse> {
  const { namespace, name, query } = request;
  const pod = reader.get<Pod>(kinds.pod, namespace, name);
  if (pod === undefined)
    throw new ApiError('NotFound', `pods "${name}" not found`, { details: { name, kind: 'pods' } });
  const own = agentLogQuery(query, name);
  const container = chooseContainer(pod, query.get('container') ?? '');
  const nodeName = pod.spec?.nodeName ?? '';
  // A pod that is not bound has no log yet: an empty answer, as upstream.
  if (nodeName === '') return { status: 204, headers: {}, body: Readable.from([]) };
  const url = `${agentOrigin(reader, nodeName)}/containerLogs/${namespace}/${name}/${container}?${own.toString()}`;
  const trust = query.get('insecureSkipTLSVerifyBackend') === 'true' ? 'node-unverified' : 'node';
  const answer = await backend.request(url, trust, { ...request, headers: {} });
  if (answer.status < 200 || answer.status > 206) throw refusedByNode(answer.status, await readText(answer.body));
  return { ...answer, headers: { 'content-type': 'text/plain' } };
}

async function proxy(request: ProxyRequest, { reader }: NodeProxyOptions, backend: Backend): Promise<ProxyResponse> {
  const { resource, namespace, name } = request;
  if (resource === 'nodes') {
    const { name: node, port } = parseProxyName(name);
    const origin = agentOrigin(reader, node, port);
    // Our certificate is for the agent alone: another port of the node is a workload like any other.
    const trust = port === '' || origin === agentOrigin(reader, node) ? 'node' : 'workload';
    return relocate(request, origin, await backend.request(`${origin}${tail(request)}`, trust, request));
  }
  const origin = (resource === 'pods' ? podOrigin : serviceOrigin)(reader, namespace, name);
  return relocate(request, origin, await backend.request(`${origin}${tail(request)}`, 'workload', request));
}

/** Path and query behind `…/proxy`. */
function tail({ rest, query }: ProxyRequest | UpgradeRequest): string {
  const search = query.toString();
  return `${rest === '' ? '/' : rest}${search === '' ? '' : `?${search}`}`;
}

/** A redirect of the backend must lead through the proxy again. */
function relocate(request: ProxyRequest, origin: string, answer: ProxyResponse): ProxyResponse {
  const { location } = answer.headers;
  if (typeof location !== 'string') return answer;
  const to = URL.parse(location, `${origin}${request.rest}`);
  if (to === null || to.origin !== new URL(origin).origin) return answer;
  const { resource, namespace, name } = request;
  const scope = namespace === '' ? '' : `/namespaces/${namespace}`;
  const through = `/api/v1${scope}/${resource}/${name}/proxy${to.pathname}${to.search}${to.hash}`;
  return { ...answer, headers: { ...answer.headers, location: through } };
}
