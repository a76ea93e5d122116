// Answers for clients that take nothing but protobuf. Objects are stored as JSON, so such an answer is parsed and encoded
// once more for each of these clients; whoever takes JSON too gets the stored bytes and never comes here.

import type { OutgoingHttpHeaders } from 'node:http';
import {
  encodeProtobuf,
  encodeProtobufList,
  hasProtobuf,
  type KubeObject,
  protobufMediaType,
  protobufWatchFrame,
} from '../../api/index.ts';
import { type CachedObject, jsonFrame } from '../cache/index.ts';
import { partialJson } from '../registry/table.ts';
import type { WatcherOptions } from '../watch/index.ts';
import type { Accepted } from './negotiate.ts';

type Render = WatcherOptions['render'];

/** JSON of one object as protobuf, with the header that says so; undefined for a kind that has no protobuf form. */
export function protobufAnswer(json: Buffer | string, headers: OutgoingHttpHeaders): Buffer | undefined {
  const object = JSON.parse(json.toString()) as KubeObject;
  if (!hasProtobuf(object)) return undefined;
  headers['content-type'] = protobufMediaType;
  return encodeProtobuf(object);
}

/** `outside` is the list without its items. */
export function protobufList(
  outside: { readonly apiVersion: string; readonly kind: string; readonly metadata: object },
  objects: readonly CachedObject[],
  headers: OutgoingHttpHeaders,
): Buffer {
  headers['content-type'] = protobufMediaType;
  return encodeProtobufList(
    outside,
    objects.map((object) => () => object.parsed()),
  );
}

/** How a watch sends its events. Source: apimachinery serializer/protobuf, the stream serializer's media type. */
export function watchForm(
  { format, view }: Accepted,
  render: Render,
): Pick<WatcherOptions, 'render' | 'frame'> & { readonly contentType: string } {
  const seen = view === 'partial' ? partialBookmark : asIs;
  if (format !== 'protobuf') {
    return { contentType: 'application/json', render, frame: (type, json) => jsonFrame(type, seen(type, json)) };
  }
  return {
    contentType: `${protobufMediaType};stream=watch`,
    render: render ?? ((object) => object.bytes.toString()),
    frame: (type, json) => protobufWatchFrame(type, encodeProtobuf(JSON.parse(seen(type, json)) as KubeObject)),
  };
}

function asIs(_type: string, json: string): string {
  return json;
}

/** Whoever watches metadata gets bookmarks of that type too. Source: apiserver handlers/response.go, transformObject. */
function partialBookmark(type: string, json: string): string {
  return type === 'BOOKMARK' ? partialJson(JSON.parse(json) as KubeObject) : json;
}
