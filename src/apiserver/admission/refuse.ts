// The 403 that an admission plugin answers, worded as upstream: `pods "web" is forbidden: why`.

import { groupResourceOf, type Status } from '../../api/index.ts';
import { type AdmissionRequest, ApiError } from '../contracts.ts';

type Causes = NonNullable<NonNullable<Status['details']>['causes']>;

export function refuse({ kind, name, object }: AdmissionRequest, why: string, causes?: Causes): ApiError {
  const shown = name === '' ? (object?.metadata?.name ?? object?.metadata?.generateName ?? '') : name;
  const subject = shown === '' ? `${groupResourceOf(kind)} is` : `${groupResourceOf(kind)} ${JSON.stringify(shown)} is`;
  return new ApiError('Forbidden', `${subject} forbidden: ${why}`, {
    details: {
      ...(shown && { name: shown }),
      ...(kind.group && { group: kind.group }),
      kind: kind.plural,
      ...(causes && { causes }),
    },
  });
}

/** Whether `request` is about the Pod itself, not a subresource. */
export function isPod({ kind, subresource }: AdmissionRequest): boolean {
  return kind.group === '' && kind.plural === 'pods' && subresource === '';
}

/** Whether `request` changes what a pod's containers may take. */
export function isPodResize({ kind, subresource }: AdmissionRequest): boolean {
  return kind.group === '' && kind.plural === 'pods' && subresource === 'resize';
}
