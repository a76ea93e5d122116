// One stored object as the watch cache holds it: the bytes that clients receive, and nothing else until it is asked for.
// The parsed form is kept weakly, so that a burst of reads by admission or RBAC parses once, and memory returns to "bytes
// once" when nobody uses it. Labels are cut out of the bytes without parsing the object; layout.ts says why that is safe.

import type { KubeObject } from '../../api/index.ts';
import { labelsIn } from './layout.ts';

export type Labels = Readonly<Record<string, string>>;

export class CachedObject {
  /** Storage key; the objects of one resource are ordered by it. */
  readonly key: string;
  /** Stamped JSON with a trailing newline. Shared with every response: never changed. */
  readonly bytes: Buffer;
  readonly revision: number;
  /** Where the namespace begins in `key`. */
  readonly prefixLength: number;
  #parsed: WeakRef<KubeObject> | undefined;
  #fields: Labels | undefined;

  constructor(key: string, bytes: Uint8Array, revision: number, prefixLength: number) {
    this.key = key;
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.revision = revision;
    this.prefixLength = prefixLength;
    this.#parsed = undefined;
    this.#fields = undefined;
  }

  /** '' for cluster-scoped objects. */
  get namespace(): string {
    const slash = this.key.indexOf('/', this.prefixLength);
    return slash < 0 ? '' : this.key.slice(this.prefixLength, slash);
  }

  get name(): string {
    return this.key.slice(this.key.lastIndexOf('/') + 1);
  }

  /** Length without the trailing newline: what goes into a list or an event. */
  get bodyLength(): number {
    const last = this.bytes.length - 1;
    return this.bytes[last] === 0x0a ? last : last + 1;
  }

  /** Shared between callers: never change it. */
  parsed<T extends KubeObject>(): T {
    const known = this.#parsed?.deref();
    if (known !== undefined) return known as T;
    const object = JSON.parse(this.bytes.toString()) as T;
    this.#parsed = new WeakRef(object);
    return object;
  }

  /** Not kept: a label index or a selector reads them once. */
  labels(): Labels {
    return labelsIn(this.bytes) ?? this.parsed().metadata?.labels ?? {};
  }

  /** The kind's selectable fields, extracted once; `extract` must always be the same for one resource. */
  fields(extract: (object: KubeObject) => Labels): Labels {
    this.#fields ??= extract(this.parsed());
    return this.#fields;
  }
}
