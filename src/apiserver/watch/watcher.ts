// One watch. Its life:
//
//   starting ── history (resume) or snapshot (initial events) is written with back-pressure; live events queue by reference
//      │
//    live ───── frames go straight to the socket; they are shared with all other watchers
//      │
//   closed ──── the client went away, the time-out came, or it was too slow: its buffer passed the bound
//
// A watcher never holds up the others: what it can't take waits in its own socket's buffer, as references to shared frames.

import { CachedObject, type CacheEvent, type EventType, frameOf, stamped, unstamped } from '../cache/index.ts';
import { ApiError } from '../contracts.ts';
import type { BodyStream, SharedChunk } from '../http/exchange.ts';
import { statusBody } from '../http/status-body.ts';
import { eachConverted, whenConverted } from '../registry/conversion.ts';
import type { Selection } from '../registry/selection.ts';

export interface WatcherOptions {
  readonly stream: BodyStream;
  readonly selection: Selection;
  /** Makes the JSON of an object for this watcher; undefined: the stored bytes as they are. */
  readonly render: ((object: CachedObject) => string) | undefined;
  /** Wraps what `render` made, and errors and bookmarks, up as an event. */
  readonly frame: (type: EventType | 'ERROR' | 'BOOKMARK', objectJson: string) => Buffer;
  /** `render` may throw ConversionPending: what is written waits for it, in order. */
  readonly mayWait: boolean;
  readonly bookmarks: boolean;
  /** For BOOKMARK events. */
  readonly kind: string;
  readonly apiVersion: string;
  readonly onClosed: () => void;
}

const bufferedMax = 16 << 20;
const queuedMax = 50_000;
const chunkSize = 256 << 10;
const closeGraceMs = 5000;

export class Watcher {
  readonly namespace: string | undefined;
  readonly bookmarks: boolean;
  /** Same frames for all watchers of the namespace: no selectors, no view of its own. */
  readonly isPlain: boolean;
  readonly #options: WatcherOptions;
  readonly #stream: BodyStream;
  #queue: CacheEvent[] | undefined = [];
  #closed = false;
  /** The end of what waits, with mayWait. */
  #line: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.namespace = options.selection.namespace;
    this.bookmarks = options.bookmarks;
    this.isPlain = options.selection.everything && options.render === undefined && !options.mayWait;
  }

  get isLive(): boolean {
    return this.#queue === undefined && !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Of a plain watcher that is live: the frames of a committed group, which all of its namespace share. */
  send(frames: SharedChunk): void {
    this.#stream.writeShared(frames);
    this.#dropIfSlow();
  }

  /** A committed group, for any other watcher. */
  deliver(events: readonly CacheEvent[]): void {
    if (this.#options.mayWait) this.#later(events.length, () => this.#deliver(events));
    else this.#deliver(events);
  }

  /** One after the other; `work` writes nothing before it has everything converted. */
  #later(events: number, work: () => void): void {
    if (this.#closed) return;
    this.#waiting += events;
    if (this.#waiting > queuedMax) {
      this.drop();
      return;
    }
    this.#line = this.#line
      .then(() => whenConverted(work))
      .catch((error: unknown) => this.fail(error instanceof ApiError ? error : failedRender()))
      .then(() => {
        this.#waiting -= events;
      });
  }

  #deliver(events: readonly CacheEvent[]): void {
    if (this.#closed) return;
    if (this.#queue !== undefined) {
      if (this.#queue.length + events.length > queuedMax) this.drop();
      else this.#queue.push(...events);
      return;
    }
    const frames = this.#framesOf(events);
    if (frames !== undefined) this.#write(frames);
  }

  /** Writes objects as ADDED, waiting for the client, then what `end` says. Queued events follow with goLive. */
  async writeInitial(objects: readonly CachedObject[]): Promise<void> {
    let chunk: Buffer[] = [];
    let size = 0;
    const render = (object: CachedObject): Buffer => this.#frame('ADDED', object);
    const ready = this.#options.mayWait ? await eachConverted(objects, render) : undefined;
    for (const [index, object] of objects.entries()) {
      const frame = ready?.[index] ?? render(object);
      chunk.push(frame);
      size += frame.length;
      if (size < chunkSize) continue;
      await this.#writeAndWait(Buffer.concat(chunk, size));
      if (this.#closed) return;
      chunk = [];
      size = 0;
    }
    if (size > 0) await this.#writeAndWait(Buffer.concat(chunk, size));
  }

  async writeHistory(events: readonly CacheEvent[]): Promise<void> {
    const frames = this.#options.mayWait ? await whenConverted(() => this.#framesOf(events)) : this.#framesOf(events);
    if (frames !== undefined) await this.#writeAndWait(frames);
  }

  /** From here on live; events after `revision` that came meanwhile go first. */
  goLive(revision: number): void {
    if (this.#options.mayWait) this.#later(0, () => this.#goLive(revision));
    else this.#goLive(revision);
  }

  #goLive(revision: number): void {
    const queued = (this.#queue ?? []).filter((event) => event.revision > revision);
    const frames = this.#framesOf(queued);
    this.#queue = undefined;
    if (frames !== undefined && !this.#closed) this.#write(frames);
  }

  bookmark(revision: number, initialEventsEnd = false): void {
    if (this.#options.mayWait) this.#later(0, () => this.#bookmark(revision, initialEventsEnd));
    else this.#bookmark(revision, initialEventsEnd);
  }

  #bookmark(revision: number, initialEventsEnd: boolean): void {
    if (this.#closed) return;
    const { kind, apiVersion, frame } = this.#options;
    const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const object = { kind, apiVersion, metadata: { resourceVersion: String(revision), ...annotations } };
    this.#write(frame('BOOKMARK', JSON.stringify(object)));
  }

  /** Ends the watch with an ERROR event. */
  fail(error: ApiError): void {
    if (this.#closed) return;
    this.#stream.write(this.#options.frame('ERROR', statusBody(error).toString().trimEnd()));
    this.close();
  }

  /** Ends the watch in order; cut when the client does not take what is left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = undefined;
    this.#options.onClosed();
    this.#stream.end();
    if (this.#stream.buffered > 0) setTimeout(() => this.#stream.destroy(), closeGraceMs).unref();
  }

  /** The client is too slow; it may resume from what it has seen, and gets 410 when that is too old by then. */
  drop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = undefined;
    this.#options.onClosed();
    this.#stream.destroy();
  }

  #write(frames: Buffer): void {
    this.#stream.write(frames);
    this.#dropIfSlow();
  }

  #dropIfSlow(): void {
    if (this.#stream.buffered > bufferedMax) this.drop();
  }

  async #writeAndWait(frames: Buffer): Promise<void> {
    if (this.#closed) return;
    if (!this.#stream.write(frames)) await this.#stream.drained();
  }

  #framesOf(events: readonly CacheEvent[]): Buffer | undefined {
    const frames: Buffer[] = [];
    for (const event of events) {
      const frame = this.#frameFor(event);
      if (frame !== undefined) frames.push(frame);
    }
    const [only] = frames;
    return frames.length <= 1 ? only : Buffer.concat(frames);
  }

  #frameFor(event: CacheEvent): Buffer | undefined {
    const { selection } = this.#options;
    const { object, previous } = event;
    if (!isIn(object, selection.namespace)) return undefined;
    if (selection.everything) return this.isPlain ? event.frame() : this.#frame(event.type, object);
    const now = !event.deleted && selection.matches(object);
    const before = previous !== undefined && selection.matches(previous);
    if (now && before) return this.#shared(event, 'MODIFIED');
    if (now) return this.#shared(event, 'ADDED');
    if (!before) return undefined;
    return event.deleted ? this.#shared(event, 'DELETED') : this.#frame('DELETED', restamped(previous, event.revision));
  }

  #shared(event: CacheEvent, type: EventType): Buffer {
    return this.#options.render === undefined && event.type === type ? event.frame() : this.#frame(type, event.object);
  }

  #frame(type: EventType, object: CachedObject): Buffer {
    const { render, frame } = this.#options;
    return render === undefined ? frameOf(type, object) : frame(type, render(object));
  }
}

function failedRender(): ApiError {
  return new ApiError('InternalError', 'an event of the watch could not be made');
}

/** True when `namespace` is undefined or the object's. */
export function isIn(object: CachedObject, namespace: string | undefined): boolean {
  return namespace === undefined || object.namespace === namespace;
}

/** What left a selection: its last selected state, with the revision at which it left. Source: apiserver cacheWatcher. */
function restamped(object: CachedObject, revision: number): CachedObject {
  return new CachedObject(
    object.key,
    stamped(unstamped(object.bytes), String(revision)),
    revision,
    object.prefixLength,
  );
}
