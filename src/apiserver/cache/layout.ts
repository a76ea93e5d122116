// The byte layout of stored objects. Every object is serialised once, like this, and the order of the first fields is a
// promise that the cache relies on:
//
//   {"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"<stamp>","labels":{…},"name":…},…}\n
//                                                                ▲ the store inserts the revision here
//
// so the offset of the stamp is a constant per kind, and labels are found by looking at one place. Anything may follow.
// Alternative refused: an envelope with extracted labels beside the bytes; it would double what the disk writes.

import type { KubeObject, ObjectMeta } from '../../api/index.ts';

/** What the store writes, see Value in store/. */
export interface Layout {
  readonly bytes: Buffer;
  readonly stampAt: number;
}

const labelsField = Buffer.from('"labels":{');
const metadataField = Buffer.from('"metadata":{"resourceVersion":"');
const quote = 0x22;
const brace = 0x7d;
/** Kind and apiVersion of any object fit in front of this offset. */
const searchBound = 1024;

/** Bytes to store for `object`, whose own resourceVersion does not matter. */
export function layOut(object: KubeObject, kind: string, apiVersion: string): Layout {
  const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{"resourceVersion":"`;
  const { resourceVersion: _stamp, labels, ...meta } = object.metadata ?? {};
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    metadata: _metadata,
    ...rest
  } = object as KubeObject & { metadata?: ObjectMeta };
  const labelled = labels === undefined || isEmpty(labels) ? undefined : labels;
  const metadata = { resourceVersion: '', labels: labelled, ...meta };
  // One text in one go: three that are joined cost a third more.
  const text = JSON.stringify({ kind, apiVersion, metadata, ...rest });
  const laidOut = text.startsWith(head) ? text : joined(head, labelled, { meta, rest });
  return { bytes: Buffer.from(`${laidOut}\n`), stampAt: head.length };
}

/** The same for a custom object with a field named like a number, which JavaScript puts in front of all others. */
function joined(
  head: string,
  labels: ObjectMeta['labels'] | undefined,
  { meta, rest }: { readonly meta: object; readonly rest: object },
): string {
  const labelled = labels === undefined ? '' : `,"labels":${JSON.stringify(labels)}`;
  const metaText = JSON.stringify(meta);
  const restText = JSON.stringify(rest);
  const metaTail = metaText === '{}' ? '}' : `,${metaText.slice(1)}`;
  return `${head}"${labelled}${metaTail}${restText === '{}' ? '}' : `,${restText.slice(1)}`}`;
}

/** The labels in stored bytes; undefined when the bytes are not laid out as above and must be parsed. */
export function labelsIn(bytes: Buffer): Readonly<Record<string, string>> | undefined {
  const at = stampEnd(bytes);
  if (at < 0) return undefined;
  const start = at + 2; // past `",`
  if (bytes.compare(labelsField, 0, labelsField.length, start, start + labelsField.length) !== 0) return {};
  const open = start + labelsField.length - 1;
  const close = bytes.indexOf(brace, open);
  try {
    // Label values hold no braces, quotes or escapes (validated on write), so the first brace closes the object.
    return JSON.parse(bytes.toString('latin1', open, close + 1)) as Record<string, string>;
  } catch {
    return undefined;
  }
}

/** Whether stored `bytes` say the same as `layout` would, whatever the revision in them: then a write may be left out. */
export function isSame(bytes: Buffer, layout: Layout): boolean {
  const end = stampEnd(bytes);
  const { bytes: wanted, stampAt } = layout;
  if (end < stampAt || bytes.length - end !== wanted.length - stampAt) return false;
  return (
    bytes.compare(wanted, stampAt, wanted.length, end, bytes.length) === 0 &&
    bytes.compare(wanted, 0, stampAt, 0, stampAt) === 0
  );
}

/** Bytes as the store would return them: for answers to dry runs. An empty `revision` leaves the field out. */
export function stamped({ bytes, stampAt }: Layout, revision: string): Buffer {
  if (revision !== '')
    return Buffer.concat([bytes.subarray(0, stampAt), Buffer.from(revision), bytes.subarray(stampAt)]);
  const { metadata, ...rest } = JSON.parse(bytes.toString()) as KubeObject;
  const { resourceVersion: _none, ...meta } = metadata ?? {};
  return Buffer.from(`${JSON.stringify({ ...rest, metadata: meta })}\n`);
}

/** Stored bytes with the revision cut out, to be written again as they are: a deletion keeps the last state. */
export function unstamped(bytes: Buffer): Layout {
  const end = stampEnd(bytes);
  if (end < 0) return { bytes, stampAt: -1 };
  const stampAt = bytes.lastIndexOf(quote, end - 1) + 1;
  return { bytes: Buffer.concat([bytes.subarray(0, stampAt), bytes.subarray(end)]), stampAt };
}

/** Offset of the quote behind the revision, -1 when there is none. */
function stampEnd(bytes: Buffer): number {
  const field = bytes.subarray(0, searchBound).indexOf(metadataField);
  return field < 0 ? -1 : bytes.indexOf(quote, field + metadataField.length);
}

function isEmpty(record: object): boolean {
  for (const _key in record) return false;
  return true;
}
