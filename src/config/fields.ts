// Forms of single fields that the documents share, each with words for what is wrong.

import * as z from 'zod';
import { whyNotAddress } from './addresses.ts';

/** Text that `why` finds nothing wrong with. */
export const text = (why: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const problem = why(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: value });
  });

export const port = z.int().min(1).max(65535);

/** RFC 1123 subdomain, as Kubernetes wants of a Node's name. */
export const nodeNameSchema = text((value) =>
  value.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value)
    ? undefined
    : 'must be a name of lower-case letters, digits, - and ., at most 253 long',
);

/** host or host:port */
export const endpointSchema = text((value) => {
  const [, , given] = value.match(/^([A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?)(?::(\d+))?$/)?.slice(1) ?? [];
  if (!/^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?(:\d+)?$/.test(value)) return 'must be host or host:port';
  return given === undefined || (Number(given) > 0 && Number(given) < 65536) ? undefined : 'port must be 1 to 65535';
});

const criSocketSchema = text((value) =>
  /^(unix:\/\/)?\/\S+$/.test(value) ? undefined : 'must be unix:///path/of/the/socket',
);

export const addressSchema = text(whyNotAddress);

export const subjectName = text((value) =>
  whyNotAddress(value) === undefined || /^(\*\.)?[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$/.test(value)
    ? undefined
    : 'must be an address or a DNS name',
);

/** Go's form: 24h0m0s; 0 stands for ever. */
export const durationSchema = text((value) =>
  /^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/.test(value) ? undefined : 'must be a duration such as 24h0m0s; 0: for ever',
);

/** As above, but something must be left of it. */
export const lifetimeSchema = text((value) =>
  /^(?=.*[1-9])(\d+(\.\d+)?(ms|s|m|h))+$/.test(value) ? undefined : 'must be a duration such as 8760h0m0s',
);

export const tokenSchema = text((value) =>
  /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(value) ? undefined : 'must be 6 characters, a dot and 16 characters of a-z 0-9',
);

export const caCertHashSchema = text((value) =>
  /^sha256:[0-9a-f]{64}$/.test(value) ? undefined : 'must be sha256: and 64 hexadecimal digits',
);

/** A path is a unix socket, as with kubeadm. */
export function socketUrl(socket: string): string {
  return socket.startsWith('/') ? `unix://${socket}` : socket;
}

const taint = z.strictObject({
  key: z.string().min(1).describe('For example dedicated.'),
  value: z.string().optional().describe('Compared with what a pod tolerates.'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .describe('What happens to pods that do not tolerate it.'),
});

/** What a machine is told about itself, on a master and on a node alike. */
export const nodeFields = {
  name: nodeNameSchema.optional().describe('Name of the Node object. Default: the host name in lower case.'),
  ip: addressSchema
    .optional()
    .describe('Address that other nodes reach this one by. Default: the one it sends from to the API server.'),
  criSocket: criSocketSchema
    .optional()
    .describe("The container runtime's socket. Default unix:///run/containerd/containerd.sock."),
  labels: z.record(z.string(), z.string()).optional().describe('Labels that the node registers with.'),
  taints: z
    .array(taint)
    .optional()
    .describe('Taints that the node registers with. Default: NoSchedule on a master, none elsewhere.'),
  maxPods: z.int().min(1).max(250).optional().describe("Pods on this node. Default: the cluster's kubelet.maxPods."),
} as const;

/** What a run of init or join is told, besides what the machine shall become. */
export const runFields = {
  skipPhases: z.array(z.string().min(1)).optional().describe('Phases to leave out, by name.'),
  ignorePreflightErrors: z
    .array(z.string().min(1))
    .optional()
    .describe('Checks whose errors are only warnings, by id, or all.'),
} as const;
