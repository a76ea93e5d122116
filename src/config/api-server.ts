// Settings of the API server that most clusters never touch: who may log in besides certificates and ServiceAccounts, what is
// written to the audit log, how many requests are worked on at once, which admission plugins run. One schema for the
// cluster's document, for server.json and for flags, so that the three can't disagree. The flags carry kube-apiserver's names
// and are a table: what is not in it is refused by name. Source: Kubernetes documentation, "kube-apiserver".

import * as z from 'zod';
import { CodedError, goDurationMs } from '../base/index.ts';
import { parseDocument } from './schema-errors.ts';

const path = z.string().min(1);
const headers = z.array(z.string().min(1).toLowerCase());
const count = z.int().min(1);
const duration = z
  .string()
  .refine((value) => (goDurationMs(value) ?? 0) > 0, 'must be a duration above zero, like 1m0s');

export const apiServerFields = {
  anonymousAuth: z.boolean().optional().describe('Whether requests without credentials are judged. Default true.'),
  tokenAuthFile: path.optional().describe('File of static tokens, lines of token,user,uid,"group1,group2".'),
  oidc: z
    .strictObject({
      issuerUrl: z.url({ protocol: /^https$/, error: 'must be an https URL' }).describe('Exactly as in the tokens.'),
      clientId: z.string().min(1).describe('The audience that tokens must name.'),
      usernameClaim: z.string().min(1).optional().describe('Claim that names the user. Default sub.'),
      usernamePrefix: z.string().optional().describe('Default: issuer and #, nothing for email; "-": nothing.'),
      groupsClaim: z.string().min(1).optional().describe('Default: tokens carry no groups.'),
      groupsPrefix: z.string().optional().describe('Put before the names of groups. Default: nothing.'),
      requiredClaims: z.record(z.string(), z.string()).optional().describe('Claims that tokens must have.'),
      caFile: path.optional().describe("CA of the issuer's server. Default: the machine's CAs."),
      signingAlgorithms: z.array(z.string()).optional().describe('Default RS256.'),
    })
    .optional()
    .describe('Tokens of an OpenID Connect issuer.'),
  requestHeader: z
    .strictObject({
      clientCaFile: path.optional().describe('CA of front proxies. Default: front-proxy-ca.crt.'),
      allowedNames: z.array(z.string()).optional().describe('Common names; empty: any. Default front-proxy-client.'),
      usernameHeaders: headers.optional().describe('Default X-Remote-User.'),
      groupHeaders: headers.optional().describe('Default X-Remote-Group.'),
      extraHeaderPrefixes: headers.optional().describe('Default X-Remote-Extra-.'),
    })
    .optional()
    .describe('Front proxies that say in headers who asks.'),
  audit: z
    .strictObject({
      policyFile: path.describe('audit.k8s.io/v1 Policy: what is written down.'),
      logPath: path
        .refine((value) => value !== '-', 'must be a file; standard output is not supported')
        .describe('File of JSON lines.'),
      maxSizeMb: count.optional().describe('The file is renamed past that size, MiB. Default 100.'),
      maxBackups: z.int().min(0).optional().describe('Renamed files that are kept; 0: all. Default 10.'),
      maxAgeDays: z.int().min(0).optional().describe('Days that renamed files are kept; 0: for ever. Default 0.'),
    })
    .optional()
    .describe('Default: no audit log.'),
  maxRequestsInFlight: count.optional().describe('Reading requests worked on at once. Default 400.'),
  maxMutatingRequestsInFlight: count.optional().describe('Writing requests worked on at once. Default 200.'),
  requestTimeout: duration
    .optional()
    .describe('How long a request may last that is neither a watch nor a stream. Default 1m0s.'),
  eventTtl: duration.optional().describe('How long Events are kept after they were last written. Default 1h0m0s.'),
  serviceAccounts: z
    .strictObject({
      issuer: z.string().min(1).optional().describe('Default https://kubernetes.default.svc.<domain>.'),
      audiences: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Names of this API server. Default: the issuer.'),
      keyFiles: z.array(path).optional().describe('Keys, public or private, whose tokens are accepted besides sa.key.'),
    })
    .optional()
    .describe('Tokens of ServiceAccounts.'),
  admission: z
    .strictObject({
      enable: z.array(z.string().min(1)).optional().describe('Besides those that are on anyway.'),
      disable: z.array(z.string().min(1)).optional().describe('Of those that are on anyway.'),
    })
    .optional()
    .describe("Admission plugins switched on or off, by upstream's names."),
  serviceNodePortRange: z
    .string()
    .regex(/^\d+-\d+$/, 'must be like 30000-32767')
    .optional()
    .describe('Ports of Services of type NodePort. Default 30000-32767.'),
} as const;

const settings = z.strictObject(apiServerFields);
export type ApiServerSettings = z.infer<typeof settings>;
export const apiServerSettingsSchema: z.ZodType<ApiServerSettings> = settings;

type Read = 'text' | 'list' | 'boolean' | 'number' | 'pairs';

interface FlagSpec {
  /** Without `--`. */
  readonly flag: string;
  /** Where its value goes. */
  readonly field: readonly [string, string?];
  /** `list` is split at commas; `pairs` are key=value. */
  readonly read: Read;
}

/** kube-apiserver's flags that k8ts understands. */
export const apiServerFlags = [
  { flag: 'anonymous-auth', field: ['anonymousAuth'], read: 'boolean' },
  { flag: 'token-auth-file', field: ['tokenAuthFile'], read: 'text' },
  { flag: 'oidc-issuer-url', field: ['oidc', 'issuerUrl'], read: 'text' },
  { flag: 'oidc-client-id', field: ['oidc', 'clientId'], read: 'text' },
  { flag: 'oidc-username-claim', field: ['oidc', 'usernameClaim'], read: 'text' },
  { flag: 'oidc-username-prefix', field: ['oidc', 'usernamePrefix'], read: 'text' },
  { flag: 'oidc-groups-claim', field: ['oidc', 'groupsClaim'], read: 'text' },
  { flag: 'oidc-groups-prefix', field: ['oidc', 'groupsPrefix'], read: 'text' },
  { flag: 'oidc-required-claim', field: ['oidc', 'requiredClaims'], read: 'pairs' },
  { flag: 'oidc-ca-file', field: ['oidc', 'caFile'], read: 'text' },
  { flag: 'oidc-signing-algs', field: ['oidc', 'signingAlgorithms'], read: 'list' },
  { flag: 'requestheader-client-ca-file', field: ['requestHeader', 'clientCaFile'], read: 'text' },
  { flag: 'requestheader-allowed-names', field: ['requestHeader', 'allowedNames'], read: 'list' },
  { flag: 'requestheader-username-headers', field: ['requestHeader', 'usernameHeaders'], read: 'list' },
  { flag: 'requestheader-group-headers', field: ['requestHeader', 'groupHeaders'], read: 'list' },
  { flag: 'requestheader-extra-headers-prefix', field: ['requestHeader', 'extraHeaderPrefixes'], read: 'list' },
  { flag: 'audit-policy-file', field: ['audit', 'policyFile'], read: 'text' },
  { flag: 'audit-log-path', field: ['audit', 'logPath'], read: 'text' },
  { flag: 'audit-log-maxsize', field: ['audit', 'maxSizeMb'], read: 'number' },
  { flag: 'audit-log-maxbackup', field: ['audit', 'maxBackups'], read: 'number' },
  { flag: 'audit-log-maxage', field: ['audit', 'maxAgeDays'], read: 'number' },
  { flag: 'max-requests-inflight', field: ['maxRequestsInFlight'], read: 'number' },
  { flag: 'max-mutating-requests-inflight', field: ['maxMutatingRequestsInFlight'], read: 'number' },
  { flag: 'request-timeout', field: ['requestTimeout'], read: 'text' },
  { flag: 'event-ttl', field: ['eventTtl'], read: 'text' },
  { flag: 'service-account-issuer', field: ['serviceAccounts', 'issuer'], read: 'text' },
  { flag: 'api-audiences', field: ['serviceAccounts', 'audiences'], read: 'list' },
  { flag: 'service-account-key-file', field: ['serviceAccounts', 'keyFiles'], read: 'list' },
  { flag: 'enable-admission-plugins', field: ['admission', 'enable'], read: 'list' },
  { flag: 'disable-admission-plugins', field: ['admission', 'disable'], read: 'list' },
  { flag: 'service-node-port-range', field: ['serviceNodePortRange'], read: 'text' },
] as const satisfies readonly FlagSpec[];

/**
 * Settings from kube-apiserver's flags, as `k8ts run control-plane` and kubeadm's extraArgs give them.
 * @param given values by the flag's name without `--`; a repeated flag is a list.
 * @throws CodedError FLAG_UNSUPPORTED, CONFIG_INVALID
 */
export function apiServerSettingsOf(
  given: Readonly<Record<string, string | readonly string[] | undefined>>,
): ApiServerSettings {
  const document: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const spec: FlagSpec | undefined = apiServerFlags.find(({ flag }) => flag === name);
    if (spec === undefined) {
      throw new CodedError('FLAG_UNSUPPORTED', `the API server's flag --${name} is not supported`, {
        exit: 'invalidInput',
        hint: `leave it out; supported are ${apiServerFlags.map(({ flag }) => flag).join(', ')}`,
      });
    }
    const [field, part] = spec.field;
    const read = readValue(spec.read, typeof value === 'string' ? [value] : value);
    if (part === undefined) document[field] = read;
    else document[field] = { ...(document[field] as object | undefined), [part]: read };
  }
  return parseDocument(settings, document, "the API server's flags");
}

/** A value of the wrong form stays what it is: the schema says what it should be. */
function readValue(read: Read, values: readonly string[]): unknown {
  const last = values.at(-1) ?? '';
  const parts = values.flatMap((value) => value.split(',')).filter((one) => one !== '');
  switch (read) {
    case 'text':
      return last;
    case 'boolean':
      return last === 'true' ? true : last === 'false' ? false : last;
    case 'number':
      return /^\d+$/.test(last) ? Number(last) : last;
    case 'list':
      return parts;
    case 'pairs':
      return Object.fromEntries(parts.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
  }
}
