// One change of one object, as all watchers of its resource share it, with the frames that are sent for it. A frame is
// made when the first watcher needs it and serves every other one: a hundred watchers cost one copy of the object.

import type { CachedObject } from './cached-object.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

const heads: Readonly<Record<EventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

export class CacheEvent {
  readonly revision: number;
  /** After the change; for a deletion the last state, stamped with the deletion's revision. */
  readonly object: CachedObject;
  readonly previous: CachedObject | undefined;
  readonly deleted: boolean;
  #frame: Buffer | undefined;

  constructor(object: CachedObject, previous: CachedObject | undefined, deleted: boolean) {
    this.revision = object.revision;
    this.object = object;
    this.previous = previous;
    this.deleted = deleted;
    this.#frame = undefined;
  }

  /** What it means to a watcher without selectors. */
  get type(): EventType {
    if (this.deleted) return 'DELETED';
    return this.previous === undefined ? 'ADDED' : 'MODIFIED';
  }

  frame(): Buffer {
    this.#frame ??= frameOf(this.type, this.object);
    return this.#frame;
  }

  /** Bytes that this event keeps alive beside the live objects. */
  get weight(): number {
    return (this.previous?.bytes.length ?? 0) + (this.deleted ? this.object.bytes.length : 0) + 200;
  }

  /** Called when the event is no longer news: the frame is cheap to make again. */
  forgetFrame(): void {
    this.#frame = undefined;
  }
}

/** `{"type":T,"object":…}\n`; source: k8s.io/apimachinery meta/v1 WatchEvent. */
export function frameOf(type: EventType, object: CachedObject): Buffer {
  const head = heads[type];
  const length = object.bodyLength;
  const frame = Buffer.allocUnsafe(head.length + length + 2);
  frame.set(head, 0);
  object.bytes.copy(frame, head.length, 0, length);
  frame[head.length + length] = 0x7d;
  frame[head.length + length + 1] = 0x0a;
  return frame;
}

/** A frame around any JSON: tables, partial metadata, ERROR and BOOKMARK. */
export function jsonFrame(type: EventType | 'ERROR' | 'BOOKMARK', objectJson: string): Buffer {
  return Buffer.from(`{"type":"${type}","object":${objectJson}}\n`);
}
