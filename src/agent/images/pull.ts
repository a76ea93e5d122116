// Makes sure that a container's image is on the machine, by its pull policy. Pulls of the same image share one call, and
// at most a few run at once. Errors carry the reason that kubectl shows.
// Source: kubernetes.io/docs/concepts/containers/images.

import type { Container, Secret } from '../../api/index.ts';
import { messageOf } from '../../base/index.ts';
import type { Cri, Image, RegistryAuth } from '../../cri/index.ts';

export class ImageError extends Error {
  readonly reason: 'ErrImagePull' | 'ErrImageNeverPull' | 'InvalidImageName';
  constructor(reason: ImageError['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ImageError';
    this.reason = reason;
  }
}

export interface EnsuredImage {
  readonly image: Image;
  readonly pulled: boolean;
  /** ms that the pull took. */
  readonly took: number;
}

export interface ImagePuller {
  /** @param pulling called before a pull begins. Throws ImageError. */
  ensure(container: Container, options: EnsureOptions): Promise<EnsuredImage>;
}

export interface EnsureOptions {
  readonly secrets: readonly Secret[];
  readonly signal: AbortSignal;
  readonly pulling: () => void;
}

export function createImagePuller(
  cri: Cri,
  options: { readonly now: () => number; readonly parallel: number },
): ImagePuller {
  const running = new Map<string, Promise<string>>();
  let places = options.parallel;
  const queue: (() => void)[] = [];

  return {
    async ensure(container, { secrets, signal, pulling }) {
      const name = withTag(container.image ?? '');
      const policy = container.imagePullPolicy ?? (name.endsWith(':latest') ? 'Always' : 'IfNotPresent');
      const present = await cri.imageStatus(name, signal);
      if (present !== undefined && policy !== 'Always') return { image: present, pulled: false, took: 0 };
      if (policy === 'Never') {
        throw new ImageError(
          'ErrImageNeverPull',
          `Container image "${container.image}" is not present with pull policy of Never`,
        );
      }
      pulling();
      const begun = options.now();
      await pull(name, credentials(name, secrets), signal);
      const image = await cri.imageStatus(name, signal);
      if (image === undefined) throw new ImageError('ErrImagePull', `image "${name}" is not there after its pull`);
      return { image, pulled: true, took: options.now() - begun };
    },
  };

  async function pull(name: string, auths: readonly RegistryAuth[], signal: AbortSignal): Promise<void> {
    const shared = running.get(name) ?? begin(name, auths, signal);
    running.set(name, shared);
    await shared;
  }

  async function begin(name: string, auths: readonly RegistryAuth[], signal: AbortSignal): Promise<string> {
    if (places === 0) await new Promise<void>((resolve) => queue.push(resolve));
    else places -= 1;
    try {
      return await pullWith(name, auths, signal);
    } finally {
      running.delete(name);
      const next = queue.shift();
      if (next === undefined) places += 1;
      else next();
    }
  }

  async function pullWith(name: string, auths: readonly RegistryAuth[], signal: AbortSignal): Promise<string> {
    let last: unknown;
    for (const auth of auths.length === 0 ? [undefined] : auths) {
      try {
        return await cri.pullImage(name, { signal, ...(auth === undefined ? {} : { auth }) });
      } catch (error) {
        last = error;
      }
    }
    signal.throwIfAborted();
    const invalid = /failed to parse|invalid reference/.test(messageOf(last));
    throw new ImageError(invalid ? 'InvalidImageName' : 'ErrImagePull', messageOf(last), last);
  }
}

/** The name with `:latest` where it has neither tag nor digest. */
export function withTag(name: string): string {
  return /@|:[^/]*$/.test(name) ? name : `${name}:latest`;
}

/** What the pull secrets say about the image's registry; the most exact entry first. */
export function credentials(image: string, secrets: readonly Secret[]): readonly RegistryAuth[] {
  const found: { readonly length: number; readonly auth: RegistryAuth }[] = [];
  const full = withRegistry(image);
  for (const { data = {} } of secrets) {
    for (const [registry, entry] of registriesIn(data)) {
      const prefix = registry.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
      const hub = prefix === 'index.docker.io' ? 'docker.io' : prefix;
      if (full !== hub && !full.startsWith(`${hub}/`)) continue;
      const [username, password] = splitAuth(entry.auth);
      found.push({
        length: hub.length,
        auth: { username: entry.username ?? username, password: entry.password ?? password, serverAddress: registry },
      });
    }
  }
  return found.sort((a, b) => b.length - a.length).map(({ auth }) => auth);
}

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}

function registriesIn(data: Readonly<Record<string, string>>): readonly (readonly [string, DockerEntry])[] {
  const modern = data['.dockerconfigjson'];
  const old = data['.dockercfg'];
  const parse = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  if (modern !== undefined) {
    return Object.entries((parse(modern) as { auths?: Record<string, DockerEntry> }).auths ?? {});
  }
  return old === undefined ? [] : Object.entries(parse(old) as Record<string, DockerEntry>);
}

function splitAuth(auth = ''): readonly [string, string] {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `nginx` is `docker.io/library/nginx`. */
function withRegistry(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return image;
  return `docker.io/${rest.length === 0 ? `library/${image}` : image}`;
}
