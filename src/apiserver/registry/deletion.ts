// What a DELETE does to an object: removes it, marks it, or nothing because it is on its way out already. Pure.
// Source: k8s.io/apiserver pkg/registry/rest/delete.go (BeforeDelete) and generic/registry/store.go (deletionFinalizers).

import { builtInSchemas, conformObject, DecodeError, type KubeObject } from '../../api/index.ts';
import { dryRunOf, integerOf, refusedOptions } from '../http/request-options.ts';
import { badRequest } from '../http/status-body.ts';
import type { Strategy } from './strategy.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun?: boolean;
}

export type Deletion =
  | { readonly action: 'remove' }
  | { readonly action: 'mark'; readonly object: KubeObject }
  | { readonly action: 'nothing' };

const policies = ['Foreground', 'Background', 'Orphan'] as const;
const orphan = 'orphan';
const foreground = 'foregroundDeletion';

export function planDeletion(
  object: KubeObject,
  options: DeleteOptions,
  { strategy, now }: { readonly strategy: Strategy; readonly now: number },
): Deletion {
  const meta = object.metadata ?? {};
  const finalizers = finalizersFor(meta.finalizers ?? [], options.propagationPolicy);
  const grace = strategy.grace?.(object, options.gracePeriodSeconds) ?? 0;
  const left = meta.deletionTimestamp === undefined ? undefined : (meta.deletionGracePeriodSeconds ?? 0);
  const held = finalizers.length > 0 || strategy.isHeld?.(object) === true;

  if (left !== undefined && left > 0 && (options.gracePeriodSeconds === undefined || grace >= left)) {
    return { action: 'nothing' };
  }
  if (grace === 0 && !held) return { action: 'remove' };
  if (left !== undefined && grace === left && finalizers.length === (meta.finalizers?.length ?? 0)) {
    return { action: 'nothing' };
  }
  const marked: KubeObject = {
    ...object,
    metadata: {
      ...meta,
      finalizers,
      deletionTimestamp: left === undefined || left > grace ? timestampOf(now + grace * 1000) : meta.deletionTimestamp,
      deletionGracePeriodSeconds: grace,
      ...(meta.generation === undefined || left !== undefined ? {} : { generation: meta.generation + 1 }),
    } as unknown as NonNullable<KubeObject['metadata']>,
  };
  return { action: 'mark', object: strategy.terminating?.(marked) ?? marked };
}

function finalizersFor(have: readonly string[], policy: DeleteOptions['propagationPolicy']): readonly string[] {
  if (policy === undefined) return have;
  const others = have.filter((one) => one !== orphan && one !== foreground);
  if (policy === 'Orphan') return [...others, orphan];
  return policy === 'Foreground' ? [...others, foreground] : others;
}

/** RFC 3339 with whole seconds, as metav1.Time. */
export function timestampOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/**
 * Options from the body (a DeleteOptions object, or nothing) and the query, which counts when the body says nothing.
 * Throws ApiError 400 for what can't be read, 422 for values that there are not.
 */
export function parseDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const given = (body ?? {}) as Record<string, unknown>;
  const { kind = 'DeleteOptions' } = given;
  if (typeof given !== 'object' || Array.isArray(given) || kind !== 'DeleteOptions') {
    throw badRequest('the body of the request cannot be handled as a DeleteOptions');
  }
  checkTypes(given);
  const grace = given['gracePeriodSeconds'] ?? integerOf(query, 'gracePeriodSeconds');
  const orphans = given['orphanDependents'] ?? booleanOf(query.get('orphanDependents'));
  const named = given['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  if (named !== undefined && orphans !== undefined) {
    const message = `Invalid value: ${JSON.stringify(named)}: orphanDependents and deletionPropagation cannot be both set`;
    throw refusedPolicy('FieldValueInvalid', message);
  }
  const policy = named ?? (orphans === undefined ? undefined : orphans === true ? 'Orphan' : 'Background');
  if (policy !== undefined && !policies.some((one) => one === policy)) {
    const supported = [...policies, 'nil'].map((one) => JSON.stringify(one)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: ${supported}`;
    throw refusedPolicy('FieldValueNotSupported', message);
  }
  const dryRun = given['dryRun'] ?? query.getAll('dryRun');
  return {
    gracePeriodSeconds: grace as number | undefined,
    propagationPolicy: policy as DeleteOptions['propagationPolicy'],
    preconditions: preconditionsOf(given['preconditions']),
    dryRun: dryRunOf([dryRun].flat(), 'DeleteOptions'),
  };
}

/** A precondition of the wrong type must not count as none. Throws ApiError 400. */
function checkTypes(body: Readonly<Record<string, unknown>>): void {
  const schema = builtInSchemas().ofType('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions');
  const kind = { group: '', version: 'v1', kind: 'DeleteOptions' };
  try {
    conformObject(kind, { ...structuredClone(body), apiVersion: 'v1', kind: kind.kind }, schema);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(error.message);
  }
}

function refusedPolicy(reason: string, message: string): Error {
  return refusedOptions('DeleteOptions', [{ field: 'propagationPolicy', reason, message }]);
}

function preconditionsOf(value: unknown): DeleteOptions['preconditions'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const { uid, resourceVersion } = value as Record<string, unknown>;
  return {
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  };
}

function booleanOf(text: string | null): boolean | undefined {
  return text === null ? undefined : text === 'true' || text === '1';
}
