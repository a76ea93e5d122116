// Admission of exec, attach, port-forward and proxies (operation CONNECT): nothing is stored, but webhooks and policies may
// refuse. They see the request's options as the object that upstream makes of them.

import { apiVersionOf, type KubeObject } from '../../api/index.ts';
import type { UserInfo } from '../contracts.ts';
import type { AdmissionChain } from '../registry/admission-chain.ts';
import type { Resource } from '../registry/resource.ts';
import type { ResourceTarget } from './request-target.ts';

interface Connection {
  readonly resource: Resource;
  readonly target: ResourceTarget;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly annotate?: ((key: string, value: string) => void) | undefined;
}

/** Nothing to wait for unless somebody must be asked. Throws or rejects with ApiError. */
export function judgeConnect(
  admission: AdmissionChain,
  { resource, target, query, user, annotate }: Connection,
): void | Promise<void> {
  const { subresource, namespace, name } = target;
  const kind = resource.spec.subresources?.find((one) => one.name === subresource)?.kind;
  // Reading a log is no connection.
  if (kind === undefined) return;
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...optionsOf(query, target.rest) } as KubeObject;
  return admission.validate({
    user,
    operation: 'CONNECT',
    kind: resource.spec,
    subresource,
    namespace: namespace === '' ? undefined : namespace,
    name,
    dryRun: false,
    object,
    oldObject: undefined,
    ...(annotate && { annotate }),
  });
}

const flags = ['stdin', 'stdout', 'stderr', 'tty'];

/** Source: PodExecOptions, PodAttachOptions, PodPortForwardOptions, PodProxyOptions of the core group. */
function optionsOf(query: URLSearchParams, rest: string): object {
  const set = flags.filter((flag) => query.get(flag) === 'true' || query.get(flag) === '1').map((flag) => [flag, true]);
  const container = query.get('container');
  const [command, ports] = [query.getAll('command'), query.getAll('ports')];
  return {
    ...Object.fromEntries(set),
    ...(container === null ? {} : { container }),
    ...(command.length === 0 ? {} : { command }),
    ...(ports.length === 0 ? {} : { ports: ports.map(Number) }),
    ...(rest === '' ? {} : { path: rest }),
  };
}
