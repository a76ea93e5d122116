// What went wrong on the runtime's socket, as an error with a next step. The table at the end knows the messages of
// runtimes whose cause lies in the host's configuration, so that the person sees the cause instead of a Go error chain.

import { CodedError, codeOf } from '../base/index.ts';
import { GrpcError, grpcStatus } from './channel.ts';

/** @param doing what was asked of the runtime, as in `RunPodSandbox`. */
export function criError(error: unknown, doing: string, socket: string): unknown {
  if (error instanceof GrpcError) return callError(error, doing, socket);
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CodedError('CRI_SOCKET_ABSENT', `there is no container runtime socket at ${socket}`, {
        hint: 'install and start a container runtime (apt-get install containerd), or pass --cri-socket',
        cause: error,
      });
    case 'ECONNREFUSED':
      return new CodedError('CRI_NOT_RUNNING', `nothing answers on the container runtime socket ${socket}`, {
        hint: 'start the runtime (systemctl start containerd) and look at its log (journalctl -u containerd)',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new CodedError('CRI_PERMISSION', `not allowed to open the container runtime socket ${socket}`, {
        hint: 'run as root',
        cause: error,
      });
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_HTTP2_STREAM_CANCEL':
    case 'ERR_HTTP2_STREAM_ERROR':
    case 'ERR_HTTP2_SESSION_ERROR':
    case 'ERR_HTTP2_INVALID_SESSION':
    case 'ERR_HTTP2_ERROR':
    case 'ERR_HTTP2_GOAWAY_SESSION':
      return connectionLost(doing, socket, error);
    default:
      return error;
  }
}

/** True when the runtime itself cannot be reached or does not serve CRI, whatever was asked of it. */
export function isRuntimeDown(error: unknown): boolean {
  return downCodes.has(codeOf(error) ?? '');
}

const downCodes: ReadonlySet<string> = new Set([
  'CRI_SOCKET_ABSENT',
  'CRI_NOT_RUNNING',
  'CRI_PERMISSION',
  'CRI_PLUGIN_DISABLED',
  'CRI_CONNECTION_LOST',
]);

function connectionLost(doing: string, socket: string, cause: unknown): CodedError {
  return new CodedError('CRI_CONNECTION_LOST', `the container runtime on ${socket} went away during ${doing}`, {
    hint: 'look at the runtime (systemctl status containerd); k8ts connects again by itself',
    cause,
  });
}

function callError(error: GrpcError, doing: string, socket: string): CodedError {
  const { status, message } = error;
  if (status === grpcStatus.unavailable || status === grpcStatus.cancelled) {
    return connectionLost(doing, socket, error);
  }
  if (status === grpcStatus.unimplemented && /unknown service runtime\.v1\./.test(message)) {
    return new CodedError('CRI_PLUGIN_DISABLED', `the runtime on ${socket} does not serve CRI v1: ${message}`, {
      hint: 'remove "cri" from disabled_plugins in /etc/containerd/config.toml and restart containerd (1.6 or newer)',
      cause: error,
    });
  }
  if (status === grpcStatus.unimplemented) return new CodedError('CRI_UNIMPLEMENTED', `${doing}: ${message}`);
  if (status === grpcStatus.notFound) return new CodedError('CRI_NOT_FOUND', message, { cause: error });
  if (status === grpcStatus.deadlineExceeded) return new CodedError('CRI_TIMEOUT', `${doing}: ${message}`);
  const known = knownMessages.find(({ pattern }) => pattern.test(message));
  return new CodedError(known?.code ?? 'CRI_CALL_FAILED', message, {
    ...(known === undefined ? {} : { hint: known.hint }),
    cause: error,
  });
}

const knownMessages: readonly { readonly pattern: RegExp; readonly code: string; readonly hint: string }[] = [
  {
    pattern: /oom_score_adj.*permission denied/s,
    code: 'CRI_OOM_SCORE_REFUSED',
    hint: 'this host lacks CAP_SYS_RESOURCE: set restrict_oom_score_adj = true under [plugins."io.containerd.grpc.v1.cri"]',
  },
  {
    pattern: /cni plugin not initialized|no network config found/i,
    code: 'CRI_NETWORK_NOT_READY',
    hint: 'the node agent writes the CNI configuration once the node has its pod CIDR: look at its log',
  },
  {
    pattern: /failed to find plugin "[^"]+" in path/,
    code: 'CRI_CNI_PLUGIN_ABSENT',
    hint: 'apt-get install containernetworking-plugins, and let bin_dir in containerd\'s [plugins."io.containerd.grpc.v1.cri".cni] name their folder',
  },
];
