// Custom resources: status is a part of its own only when the definition says so; an update of it leaves metadata alone.
// Source: apiextensions-apiserver pkg/registry/customresource (strategy.go, status_strategy.go).

import type { KindSpec, KubeObject } from '../../../api/index.ts';
import { ApiError } from '../../contracts.ts';
import type { Strategy } from '../strategy.ts';
import { bodyOf } from './fields.ts';

export function customResources(kind: KindSpec): Strategy {
  const hasStatus = kind.subresources?.some(({ name }) => name === 'status') === true;
  return {
    keepsStatus: true,
    needsResourceVersion: true,
    create(object) {
      if (kind.custom?.ending === true) throw definitionEnds();
      if (!hasStatus) return object;
      const { status: _none, ...rest } = bodyOf(object);
      return rest as KubeObject;
    },
    status(object, old) {
      const { resourceVersion } = object.metadata ?? {};
      return {
        ...object,
        metadata: { ...old.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      };
    },
  };
}

function definitionEnds(): ApiError {
  return new ApiError('MethodNotAllowed', 'create not allowed while custom resource definition is terminating');
}
