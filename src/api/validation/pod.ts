// Pods: what may be created, and what a changed one must still be. Source: kubernetes pkg/apis/core/validation
// (ValidatePodCreate, validatePodMetadataAndSpec).

import { type FieldError, forbidden } from '../field-error.ts';
import type { Pod } from '../types.ts';
import { validateImageText } from './container.ts';
import { validatePodAnnotations, validateProfilesMatch } from './pod-annotations.ts';
import { validatePodSpec } from './pod-spec.ts';

export function validatePod({ spec, metadata = {} }: Pod): readonly FieldError[] {
  const { annotations } = metadata;
  const errors = annotations === undefined ? [] : validatePodAnnotations(annotations, spec);
  errors.push(...validatePodSpec('spec', spec, [], metadata));
  if (spec === undefined) return errors;
  if (!spec.serviceAccountName) errors.push(...withoutTokens(spec.volumes ?? []));
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      errors.push(...validateImageText(container, `spec.${list}[${index}]`));
    }
  }
  if (metadata.resourceVersion) return errors;
  // Ephemeral containers come through their own subresource, to a pod that exists.
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  if (annotations !== undefined) errors.push(...validateProfilesMatch(annotations, spec));
  return errors;
}

function withoutTokens(volumes: NonNullable<NonNullable<Pod['spec']>['volumes']>): FieldError[] {
  const why = 'must not be specified when serviceAccountName is not set';
  return volumes.flatMap(({ projected }, volume) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, source) =>
      serviceAccountToken === undefined
        ? []
        : [forbidden(`spec.volumes[${volume}].projected.sources[${source}].serviceAccountToken`, why)],
    ),
  );
}
