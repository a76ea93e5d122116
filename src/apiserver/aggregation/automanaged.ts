// APIServices of the groups that this server serves itself: which there should be, and what is to be done about those there
// are. Pure. One without the label belongs to a person and is left alone. `onstart` ones are looked at when the server
// starts and are a person's afterwards; `true` ones, of custom kinds, come and go with their definitions.
// Source: kube-aggregator pkg/controllers/autoregister/autoregister_controller.go.

import { type APIService, apiVersionOf, sameJson } from '../../api/index.ts';
import { priorityOf } from './priorities.ts';

export interface LocalVersion {
  readonly group: string;
  readonly version: string;
  readonly isCustom: boolean;
}

export interface Plan {
  readonly create: readonly APIService[];
  readonly update: readonly APIService[];
  /** Names. */
  readonly remove: readonly string[];
}

const label = 'kube-aggregator.kubernetes.io/automanaged';

export function nameOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return `${version}.${group}`;
}

/** @param atStart whether this is the first look since the server started. */
export function planLocal(versions: readonly LocalVersion[], stored: readonly APIService[], atStart: boolean): Plan {
  const wanted = new Map(
    [...new Map(versions.map((one) => [apiVersionOf(one), one])).values()].flatMap((one) => {
      const made = localService(one);
      return made === undefined ? [] : [[nameOf(one), made] as const];
    }),
  );
  const known = new Map(stored.map((one) => [one.metadata?.name ?? '', one]));
  const create = [...wanted].filter(([name, one]) => !known.has(name) && (atStart || isAlways(one)));
  const managed = [...known].filter(([, one]) => one.metadata?.labels?.[label] !== undefined);
  const update = managed.flatMap(([name, held]) => {
    const want = wanted.get(name);
    if (want === undefined || !(atStart || isAlways(held))) return [];
    return sameJson(want.spec, held.spec) && labelOf(want) === labelOf(held) ? [] : [want];
  });
  const remove = managed.filter(([name, held]) => !wanted.has(name) && (atStart || isAlways(held)));
  return { create: create.map(([, one]) => one), update, remove: remove.map(([name]) => name) };
}

/** `held` with the spec and the label of `wanted`. */
export function asWanted(held: APIService, wanted: APIService): APIService {
  const labels = { ...held.metadata?.labels, ...wanted.metadata?.labels };
  return { ...held, metadata: { ...held.metadata, labels }, spec: wanted.spec } as APIService;
}

function localService({ group, version, isCustom }: LocalVersion): APIService | undefined {
  const priority = priorityOf({ group, version }, isCustom);
  if (priority === undefined) return undefined;
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: nameOf({ group, version }), labels: { [label]: isCustom ? 'true' : 'onstart' } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: priority.group,
      versionPriority: priority.version,
    },
  } as APIService;
}

function labelOf({ metadata }: APIService): string | undefined {
  return metadata?.labels?.[label];
}

function isAlways(service: APIService): boolean {
  return labelOf(service) === 'true';
}
