// What of an answer is compared, in the order of its weight: the code, the reason, the causes (which fields, what of them),
// the words.

import type { Answer as Received } from '../../bench/client.ts';
import type { Sample } from './sample.ts';

export interface Answer {
  readonly code: number;
  readonly reason: string;
  /** `FieldValueRequired spec.ports[0].port`, sorted. */
  readonly causes: readonly string[];
  readonly message: string;
}

export type Difference = 'same' | 'code' | 'reason' | 'causes' | 'message';

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly field?: string }[] };
}

export function answerOf({ status: code, body }: Received): Answer {
  if (code < 300) return { code, reason: '', causes: [], message: '' };
  const { reason = '', message = '', details } = parsed(body.toString());
  const causes = (details?.causes ?? []).map((cause) => `${cause.reason ?? ''} ${cause.field ?? ''}`).sort();
  return { code, reason, causes, message: withoutVersions(message) };
}

export function differenceOf(peer: Answer, own: Answer): Difference {
  if (peer.code !== own.code) return 'code';
  if (peer.reason !== own.reason) return 'reason';
  if (peer.causes.join() !== own.causes.join()) return 'causes';
  return peer.message === own.message ? 'same' : 'message';
}

export function show({ object }: Sample, label: string, answers: readonly [Answer, Answer]): string {
  const [peer, own] = answers.map(({ code, reason, message }) => `${code} ${reason} ${message.slice(0, 600)}`);
  return `${object.kind}/${object.metadata.name} ${label}\n  peer ${peer}\n  ours ${own}\n`;
}

function parsed(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return { message: text.slice(0, 200) };
  }
}

/** Kinds that the peer knows by another version are the same kinds. */
function withoutVersions(message: string): string {
  return message.replace(/\bv\d+((alpha|beta)\d+)?\b/g, 'vX');
}
