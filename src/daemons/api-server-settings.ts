// Turns settings (paths, numbers, names) into what the API server takes (texts, limits, sinks). Files are read here once; a
// change of one takes effect with the next start.

import { readFile } from 'node:fs/promises';
import { type ApiServerOptions, createAuditFile, parseAuditPolicy, type SecurityOptions } from '../apiserver/index.ts';
import { CodedError, goDurationMs, type Logger, messageOf } from '../base/index.ts';
import type { ApiServerSettings } from '../config/index.ts';

type RbacOptions = Extract<SecurityOptions, { readonly mode: 'rbac' }>;

export interface ApiServerDefaults {
  /** PEM */
  readonly frontProxyCa: string;
  /** PEM of sa.key. */
  readonly signingKeyPem: string;
  /** Of ServiceAccount tokens. */
  readonly issuer: string;
  readonly logger: Logger;
}

type SetOptions = Pick<ApiServerOptions, 'nodePorts' | 'limits' | 'audit' | 'requestTimeoutMs' | 'eventTtlMs'> & {
  readonly security: RbacOptions;
  /** PEM of the CA whose certificates front proxies show. */
  readonly frontProxyCa: string;
};

/** Throws CodedError SETTING_UNREADABLE, AUDIT_POLICY_INVALID. Listens to nothing yet. */
export async function apiServerOptionsOf(
  settings: ApiServerSettings,
  { frontProxyCa: ownFrontProxyCa, signingKeyPem, issuer, logger }: ApiServerDefaults,
): Promise<SetOptions> {
  const { serviceAccounts = {}, requestHeader = {}, serviceNodePortRange } = settings;
  const { clientCaFile, allowedNames = ['front-proxy-client'], ...headers } = requestHeader;
  const frontProxyCa = (await textOf('requestHeader.clientCaFile', clientCaFile)) ?? ownFrontProxyCa;
  const keys = await Promise.all(
    (serviceAccounts.keyFiles ?? []).map((path) => textOf('serviceAccounts.keyFiles', path)),
  );
  const { maxRequestsInFlight = 400, maxMutatingRequestsInFlight = 200 } = settings;
  return {
    frontProxyCa,
    security: {
      mode: 'rbac',
      serviceAccounts: defined({
        signingKeyPem,
        issuer: serviceAccounts.issuer ?? issuer,
        audiences: serviceAccounts.audiences,
        acceptedKeysPem: keys.filter((pem) => pem !== undefined),
      }),
      requestHeader: defined({ caPem: frontProxyCa, allowedNames, ...headers }),
      ...defined({
        anonymous: settings.anonymousAuth,
        tokenFile: await textOf('tokenAuthFile', settings.tokenAuthFile),
        oidc: await oidcOf(settings.oidc),
        admission: settings.admission && defined(settings.admission),
      }),
    },
    limits: { seats: maxRequestsInFlight + maxMutatingRequestsInFlight },
    ...defined({
      nodePorts: serviceNodePortRange === undefined ? undefined : rangeOf(serviceNodePortRange),
      requestTimeoutMs: goDurationMs(settings.requestTimeout ?? ''),
      eventTtlMs: goDurationMs(settings.eventTtl ?? ''),
      audit: await auditOf(settings.audit, logger),
    }),
  };
}

async function oidcOf(oidc: ApiServerSettings['oidc']): Promise<RbacOptions['oidc'] | undefined> {
  if (oidc === undefined) return undefined;
  const { caFile, ...same } = oidc;
  return defined({ ...same, caPem: await textOf('oidc.caFile', caFile) });
}

async function auditOf(
  audit: ApiServerSettings['audit'],
  logger: Logger,
): Promise<ApiServerOptions['audit'] | undefined> {
  if (audit === undefined) return undefined;
  const { policyFile, logPath, maxSizeMb, maxBackups, maxAgeDays } = audit;
  const policy = parseAuditPolicy((await textOf('audit.policyFile', policyFile)) ?? '');
  const limits = defined({ maxBytes: maxSizeMb && maxSizeMb << 20, maxFiles: maxBackups, maxAgeDays });
  return { policy, sink: createAuditFile({ path: logPath, ...limits, logger }) };
}

async function textOf(setting: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CodedError('SETTING_UNREADABLE', `apiServer.${setting}: ${path} cannot be read: ${messageOf(error)}`, {
      exit: 'invalidInput',
      hint: 'name a file that the API server may read',
      cause: error,
    });
  }
}

function rangeOf(text: string): readonly [number, number] {
  const [first = 0, last = 0] = text.split('-').map(Number);
  if (first > 0 && last < 65_536 && first <= last) return [first, last];
  throw new CodedError('NODE_PORTS_INVALID', `apiServer.serviceNodePortRange: ${text} is no range of ports`, {
    exit: 'invalidInput',
    hint: 'the first port must not be past the last: 30000-32767',
  });
}

type Defined<T> = { [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined> } & {
  [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key];
};

/** Without the keys whose value is undefined. */
function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
