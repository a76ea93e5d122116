// Reads the events of one watch response. An ERROR event ends the watch as the ApiStatusError that it carries (410 when
// the resourceVersion is too old); a connection that ends without one is a normal end, the caller resumes.
// Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes

import type { KubeObject, Status, Stored } from '../api/index.ts';
import { ApiStatusError, type WatchEvent } from './client.ts';
import { createLineSplitter } from './watch-lines.ts';

interface WatchLine<T extends KubeObject> {
  readonly type: string;
  readonly object: Stored<T>;
}

export async function* readWatch<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes?: number,
): AsyncGenerator<WatchEvent<T>> {
  const splitter = createLineSplitter(maxLineBytes);
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) {
      const event = eventOf(JSON.parse(line) as WatchLine<T>);
      if (event !== undefined) yield event;
    }
  }
}

/** undefined for an event type that this client does not know: a newer server may have more. */
function eventOf<T extends KubeObject>({ type, object }: WatchLine<T>): WatchEvent<T> | undefined {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object };
    case 'BOOKMARK':
      return { type, resourceVersion: object.metadata.resourceVersion };
    case 'ERROR':
      throw errorOf(object as Status);
    default:
      return undefined;
  }
}

function errorOf({ code = 500, reason = 'InternalError', message = '', details }: Status): ApiStatusError {
  return new ApiStatusError(code, reason, message, details);
}
