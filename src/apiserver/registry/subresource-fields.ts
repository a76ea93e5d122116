// Which part of an object a write through the main resource or one of its subresources may change; the rest is the stored
// state. Source: the PrepareForUpdate functions of k8s.io/kubernetes pkg/registry.

import type { KubeObject } from '../../api/index.ts';
import type { Resource } from './resource.ts';
import { bodyOf, section, withField } from './strategies/fields.ts';
import { hasStatus, type StrategyContext } from './strategy.ts';

export function combine(
  object: KubeObject,
  old: KubeObject,
  resource: Resource,
  context: StrategyContext & { readonly subresource: string },
): KubeObject {
  const { strategy } = resource;
  switch (context.subresource) {
    case '': {
      const kept = hasStatus(resource.stored) ? withField(object, 'status', bodyOf(old)['status']) : object;
      return strategy.update?.(kept, old, context) ?? kept;
    }
    case 'status': {
      // Everything but metadata and status is the stored one.
      const kept = withMetadataOf(object, withField(old, 'status', bodyOf(object)['status']));
      return strategy.status?.(kept, old, context) ?? kept;
    }
    case 'finalize':
      return withField(old, 'spec', { ...section(old, 'spec'), finalizers: section(object, 'spec')['finalizers'] });
    case 'approval': {
      const { conditions } = section(object, 'status');
      const kept = withMetadataOf(object, withField(old, 'status', { ...section(old, 'status'), conditions }));
      return strategy.status?.(kept, old, context) ?? kept;
    }
    case 'ephemeralcontainers':
      return withField(old, 'spec', {
        ...section(old, 'spec'),
        ephemeralContainers: section(object, 'spec')['ephemeralContainers'],
      });
    case 'resize':
      return withField(old, 'spec', resized(section(object, 'spec'), section(old, 'spec')));
    default:
      return object;
  }
}

type Spec = ReturnType<typeof section>;
type Named = readonly { readonly name: string; readonly resources?: unknown }[];

/** A pod's stored spec with the resources of the wanted one. Other containers than there are go on, to be refused. */
function resized(wanted: Spec, old: Spec): Spec {
  const lists = ['containers', 'initContainers'].map((list) => {
    const [now, before] = [wanted, old].map((spec) => (spec[list] ?? []) as Named) as [Named, Named];
    const isSame = now.length === before.length && now.every(({ name }, at) => name === before[at]?.name);
    if (!isSame) return [list, now] as const;
    return [list, before.map((one, at) => ({ ...one, resources: now[at]?.resources }))] as const;
  });
  return { ...old, ...Object.fromEntries(lists.filter(([list, all]) => all.length > 0 || Object.hasOwn(old, list))) };
}

function withMetadataOf({ metadata }: KubeObject, object: KubeObject): KubeObject {
  return metadata === undefined ? object : { ...object, metadata };
}
