// Service account tokens for pods, each bound to its pod so that it dies with it. Asked for anew when 80 % of a token's
// life is over, or after a day. Source: kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin.

import { kinds, type Pod, type TokenRequest } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { nameOf } from '../pods/identity.ts';

export interface Tokens {
  get(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string>;
  /** When the earliest of the pod's tokens should be exchanged, ms since the epoch. */
  refreshAt(uid: string): number | undefined;
  forget(uid: string): void;
}

interface Token {
  readonly text: string;
  readonly refreshAt: number;
}

const day = 86_400_000;

export function createTokens(client: ApiClient, clock: Clock): Tokens {
  const pods = new Map<string, Map<string, Token>>();
  return {
    async get(pod, audience, expirationSeconds) {
      const { namespace, name, uid } = nameOf(pod);
      const tokens = pods.get(uid) ?? new Map<string, Token>();
      pods.set(uid, tokens);
      const key = `${audience ?? ''} ${expirationSeconds}`;
      const known = tokens.get(key);
      if (known !== undefined && known.refreshAt > clock.now()) return known.text;
      const body: TokenRequest = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: audience === undefined || audience === '' ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      };
      const account = { namespace, name: pod.spec?.serviceAccountName ?? 'default' };
      const { status } = await client.post<TokenRequest, TokenRequest>(kinds.serviceAccount, account, 'token', body);
      if (status?.token === undefined || status.expirationTimestamp === undefined)
        throw new Error(`no token came for service account ${namespace}/${account.name}`);
      const life = Math.max(0, Date.parse(status.expirationTimestamp) - clock.now());
      tokens.set(key, { text: status.token, refreshAt: clock.now() + Math.min(life * 0.8, day) });
      return status.token;
    },
    refreshAt(uid) {
      const times = [...(pods.get(uid)?.values() ?? [])].map(({ refreshAt }) => refreshAt);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    forget: (uid) => void pods.delete(uid),
  };
}
