// The envelope around each object:
//
//   6b 38 73 00  runtime.Unknown { typeMeta = 1 { apiVersion = 1, kind = 2 }, raw = 2, contentEncoding = 3, contentType = 4 }
//   "k8s\0"                                                          └ the object, without apiVersion and kind
//
// and around each event of a watch: 4 bytes of length (big-endian), then WatchEvent { type = 1, object = 2 { raw = 1 } }
// without the magic bytes, whose raw is an object in its envelope.
// Source: k8s.io/apimachinery pkg/runtime/serializer/protobuf, pkg/util/framer; "Kubernetes API concepts", protobuf encoding.

import { DecodeError } from '../decode/decode-error.ts';
import { apiVersionOf, type GroupVersionKind } from '../kind.ts';
import type { KubeObject } from '../types.ts';
import type { Message } from './message.ts';
import { builtInMessages } from './messages.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');

interface Envelope {
  /** '' when the sender left it out. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/** Whether a kind has a protobuf form: the built-in ones have, custom resources have not. */
export function hasProtobuf({ apiVersion = '', kind = '' }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return messageOf({ apiVersion, kind }) !== undefined;
}

/**
 * What JSON.parse would give of the same object as upstream writes it in JSON. An envelope that names no kind holds an
 * `expected` one. Throws DecodeError for what is not protobuf, or of a kind that has no protobuf form.
 */
export function decodeProtobuf(body: Uint8Array, expected?: GroupVersionKind): KubeObject {
  const { apiVersion, kind, raw } = openEnvelope(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const given = {
    apiVersion: apiVersion === '' && expected !== undefined ? apiVersionOf(expected) : apiVersion,
    kind: kind === '' ? (expected?.kind ?? '') : kind,
  };
  const message = messageOf(given);
  if (message === undefined) {
    throw new DecodeError(
      `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)}`,
    );
  }
  return { ...given, ...(message.readOpen(new Reader(raw)) as object) };
}

function messageOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): Message | undefined {
  const slash = apiVersion.indexOf('/');
  return builtInMessages.ofKind({
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
  });
}

function openEnvelope(body: Buffer): Envelope {
  if (body.compare(magic, 0, magic.length, 0, Math.min(body.length, magic.length)) !== 0) {
    throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  const reader = new Reader(body.subarray(magic.length));
  let [apiVersion, kind] = ['', ''];
  let raw = body.subarray(body.length);
  while (reader.at < reader.end) {
    const tag = reader.uint32();
    if (tag === rawTag) raw = reader.view();
    else if (tag === typeMetaTag) {
      const outer = reader.open();
      while (reader.at < reader.end) {
        const field = reader.uint32();
        if (field === typeMetaTag) apiVersion = reader.string();
        else if (field === rawTag) kind = reader.string();
        else reader.skip(field);
      }
      reader.close(outer);
    } else reader.skip(tag);
  }
  return { apiVersion, kind, raw };
}

const typeMetaTag = (1 << 3) | 2;
const rawTag = (2 << 3) | 2;
const contentEncodingTag = (3 << 3) | 2;
const contentTypeTag = (4 << 3) | 2;

/** An object in its envelope. Throws Error for a kind that has no protobuf form; ask hasProtobuf first. */
export function encodeProtobuf(object: KubeObject): Buffer {
  const { apiVersion = '', kind = '' } = object;
  return sealed({ apiVersion, kind }, (writer, message) => message.writeOpen(writer, object));
}

/** A list in its envelope; the items are read one after the other, so that they need not be parsed all at once. */
export function encodeProtobufList(
  list: { readonly apiVersion: string; readonly kind: string; readonly metadata: object },
  items: readonly (() => KubeObject)[],
): Buffer {
  const { apiVersion, kind, metadata } = list;
  return sealed({ apiVersion, kind }, (writer, message) => {
    const item = messageOf({ apiVersion, kind: kind.replace(/List$/, '') });
    if (item === undefined) throw new Error(`${kind} of ${apiVersion} has no protobuf form`);
    for (let index = items.length - 1; index >= 0; index -= 1) {
      item.write(writer, items[index]?.());
      writer.uint32(itemsTag);
    }
    message.writeOpen(writer, { metadata });
  });
}

/** Of every list: metadata = 1, items = 2. */
const itemsTag = (2 << 3) | 2;

function sealed(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  write: (writer: Writer, message: Message) => void,
): Buffer {
  const message = messageOf({ apiVersion, kind });
  if (message === undefined) throw new Error(`${kind} of ${apiVersion} has no protobuf form`);
  const writer = new Writer();
  // Empty, but there: upstream writes them, and bytes that are equal are easier to compare.
  writer.string('');
  writer.uint32(contentTypeTag);
  writer.string('');
  writer.uint32(contentEncodingTag);
  const beforeRaw = writer.size;
  write(writer, message);
  writer.uint32(writer.size - beforeRaw);
  writer.uint32(rawTag);
  const beforeType = writer.size;
  writer.string(kind);
  writer.uint32(rawTag);
  writer.string(apiVersion);
  writer.uint32(typeMetaTag);
  writer.uint32(writer.size - beforeType);
  writer.uint32(typeMetaTag);
  writer.raw(magic);
  return writer.finish();
}

/** One frame of a watch; `object` is what encodeProtobuf gave. */
export function protobufWatchFrame(type: string, object: Buffer): Buffer {
  const writer = new Writer(object.length + 64);
  writer.view(object);
  writer.uint32(typeMetaTag);
  writer.uint32(writer.size);
  writer.uint32(rawTag);
  writer.string(type);
  writer.uint32(typeMetaTag);
  const event = writer.finish();
  const frame = Buffer.allocUnsafe(4 + event.length);
  frame.writeUInt32BE(event.length, 0);
  frame.set(event, 4);
  return frame;
}
