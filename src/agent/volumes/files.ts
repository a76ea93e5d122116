// The files of configMap, secret, downwardAPI and projected volumes, from the objects they are made of. Pure, but for
// the token which is asked for through a function. Source: kubernetes.io/docs/concepts/storage/{volumes,projected-volumes}.

import type { ConfigMap, Pod, Secret, Volume } from '../../api/index.ts';
import { containerField, type FieldSources, podField } from '../pods/fields.ts';
import { allContainers } from '../pods/identity.ts';
import { type VolumeFile, whyNoVolumePath } from './atomic-files.ts';

export interface FileSources extends FieldSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  token(audience: string | undefined, expirationSeconds: number): Promise<string>;
}

type Item = { readonly key: string; readonly path: string; readonly mode?: number };
type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];
type Files = ReadonlyMap<string, VolumeFile>;

const defaultMode = 0o644;
const defaultTokenSeconds = 3600;

/** undefined for volumes that are not made of files. Throws Error with upstream's sentence when an object is missing. */
export async function volumeFiles(pod: Pod, volume: Volume, sources: FileSources): Promise<Files | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) {
    return configMapFiles({ ...configMap, mode: configMap.defaultMode ?? defaultMode }, sources);
  }
  if (secret !== undefined) {
    const { secretName, optional, items, defaultMode: mode = defaultMode } = secret;
    return secretFiles({ name: secretName, optional, items, mode }, sources);
  }
  if (downwardAPI !== undefined) {
    return downwardFiles(pod, downwardAPI.items ?? [], downwardAPI.defaultMode ?? defaultMode, sources);
  }
  if (projected === undefined) return undefined;
  const mode = projected.defaultMode ?? defaultMode;
  const parts = await Promise.all(
    (projected.sources ?? []).map((source) => projectedFiles(pod, source, mode, sources)),
  );
  return new Map(parts.flatMap((part) => [...part]));
}

async function projectedFiles(pod: Pod, source: Projection, mode: number, sources: FileSources): Promise<Files> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap !== undefined) return configMapFiles({ ...configMap, mode }, sources);
  if (secret !== undefined) return secretFiles({ ...secret, mode }, sources);
  if (downwardAPI !== undefined) return downwardFiles(pod, downwardAPI.items ?? [], mode, sources);
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = defaultTokenSeconds, path } = serviceAccountToken;
    const token = await sources.token(audience, expirationSeconds);
    return new Map([[checked(path), { data: Buffer.from(token), ...tokenAccess(pod, mode) }]]);
  }
  throw new Error(`projected volume source ${Object.keys(source).join(', ')} is not supported`);
}

/** The token is for the pod's user alone when there is one user or an fsGroup; otherwise any of its users may read it. */
function tokenAccess(pod: Pod, mode: number): { readonly mode: number; readonly uid?: number } {
  const { runAsUser, fsGroup } = pod.spec?.securityContext ?? {};
  const users = new Set(allContainers(pod).map(({ securityContext }) => securityContext?.runAsUser ?? runAsUser));
  const [only] = users;
  if (users.size === 1 && only !== undefined) return { mode: 0o600, uid: only };
  return { mode: fsGroup === undefined ? mode : 0o600 };
}

interface KeyedSource {
  readonly name?: string | undefined;
  readonly optional?: boolean | undefined;
  readonly items?: readonly Item[] | undefined;
  readonly mode: number;
}

function configMapFiles({ name = '', optional = false, items, mode }: KeyedSource, sources: FileSources): Files {
  const found = sources.configMap(name);
  if (found === undefined && !optional) throw new Error(`configmap "${name}" not found`);
  const data = new Map([
    ...Object.entries(found?.data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
    ...Object.entries(found?.binaryData ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
  ]);
  return keyedFiles(data, { items, mode, optional: optional || found === undefined });
}

function secretFiles({ name = '', optional = false, items, mode }: KeyedSource, sources: FileSources): Files {
  const found = sources.secret(name);
  if (found === undefined && !optional) throw new Error(`secret "${name}" not found`);
  const data = new Map(Object.entries(found?.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
  return keyedFiles(data, { items, mode, optional: optional || found === undefined });
}

function keyedFiles(
  data: ReadonlyMap<string, Buffer>,
  options: { readonly items: readonly Item[] | undefined; readonly mode: number; readonly optional: boolean },
): Files {
  if (options.items === undefined || options.items.length === 0) {
    return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode: options.mode }]));
  }
  const files = new Map<string, VolumeFile>();
  for (const { key, path, mode = options.mode } of options.items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(checked(path), { data: bytes, mode });
    else if (!options.optional) throw new Error(`references non-existent config key: ${key}`);
  }
  return files;
}

function downwardFiles(pod: Pod, items: readonly DownwardFile[], mode: number, sources: FileSources): Files {
  return new Map(
    items.map(({ path, fieldRef, resourceFieldRef, mode: own = mode }) => {
      const [first] = pod.spec?.containers ?? [];
      const text =
        fieldRef !== undefined
          ? podField(pod, fieldRef.fieldPath, sources)
          : resourceFieldRef !== undefined && first !== undefined
            ? containerField(pod, first, resourceFieldRef, sources)
            : '';
      return [checked(path), { data: Buffer.from(text), mode: own }] as const;
    }),
  );
}

function checked(path: string): string {
  const why = whyNoVolumePath(path);
  if (why !== undefined) throw new Error(why);
  return path;
}
