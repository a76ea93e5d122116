// Which container of a pod a log, exec or attach request means.

import type { Pod } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';

const defaultContainer = 'kubectl.kubernetes.io/default-container';

/** The named container, or the default one. Throws ApiError 400 in upstream's words when there is no such choice. */
export function chooseContainer(pod: Pod, wanted: string): string {
  const name = pod.metadata?.name ?? '';
  const containers = names(pod.spec?.containers);
  const init = names(pod.spec?.initContainers);
  const ephemeral = names(pod.spec?.ephemeralContainers);
  if (wanted !== '') {
    if ([...containers, ...init, ...ephemeral].includes(wanted)) return wanted;
    throw new ApiError('BadRequest', `container ${wanted} is not valid for pod ${name}`);
  }
  const annotated = pod.metadata?.annotations?.[defaultContainer];
  if (annotated !== undefined && containers.includes(annotated)) return annotated;
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only;
  const choices = [
    `choose one of: [${containers.join(' ')}]`,
    ...(init.length > 0 ? [`or one of the init containers: [${init.join(' ')}]`] : []),
    ...(ephemeral.length > 0 ? [`or one of the ephemeral containers: [${ephemeral.join(' ')}]`] : []),
  ];
  throw new ApiError('BadRequest', `a container name must be specified for pod ${name}, ${choices.join(' ')}`);
}

function names(containers: readonly { readonly name: string }[] | undefined): readonly string[] {
  return (containers ?? []).map(({ name }) => name);
}
