// An exchange whose bodies are copied into the audit log. Only requests whose audit level asks for bodies go through here;
// answers that are streamed (watches, long lists) are not copied.

import type { OutgoingHttpHeaders } from 'node:http';
import type { AuditRecord } from '../audit/index.ts';
import type { Exchange } from './exchange.ts';

export function auditedExchange(inner: Exchange, record: AuditRecord): Exchange {
  if (!record.wantsRequestBody) return inner;
  const { method, target, headers, socket, protocol, auditId, warnings } = inner;
  return {
    method,
    target,
    headers,
    socket,
    protocol,
    auditId,
    warnings,
    get answered() {
      return inner.answered;
    },
    get status() {
      return inner.status;
    },
    async readBody(limit) {
      const body = await inner.readBody(limit);
      record.requestBody(body);
      return body;
    },
    send(status: number, sent: OutgoingHttpHeaders, body: Buffer) {
      if (record.wantsResponseBody) record.responseBody(body);
      inner.send(status, sent, body);
    },
    stream: (status, sent) => inner.stream(status, sent),
    bodyStream: () => inner.bodyStream(),
    cut: () => inner.cut(),
    onClose: (handler) => inner.onClose(handler),
  };
}
