// What a machine asks for that is to become a node and has nothing yet: an install script, and the archive of k8ts that the
// script unpacks. Only for who may GET /k8ts/* by RBAC (bootstrap tokens may), so nothing is served to strangers. A
// download can be continued where it was cut (ETag, If-Range, Range: RFC 9110 §13 and §14). A server of its own for files
// was refused: it would need a port, a certificate and an authentication of its own.
//
//   GET /k8ts/install          sh script, with the asker's token and the cluster's CA in it
//   GET /k8ts/bundle/x64       the archive for linux-x64; arm64 likewise

import { open } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { CodedError } from '../../base/index.ts';
import { ApiError } from '../contracts.ts';
import type { BodyStream, Exchange } from '../http/exchange.ts';

export interface Archive {
  readonly path: string;
  /** Hexadecimal, of the file. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Where script and archives come from. */
export interface InstallationSource {
  /** undefined: there is none for that architecture (x64, arm64). */
  archive(architecture: string): Promise<Archive | undefined>;
  /** The script for who holds `token`. @throws CodedError when nothing can be installed from here */
  script(token: string): Promise<string>;
}

export type InstallationHandler = (exchange: Exchange, path: string) => Promise<void>;

/** Archives that are sent at the same time; more are told to come back. */
const transfersMax = 16;
const retryAfterSeconds = 5;
const pieceSize = 256 << 10;
const stalledDefault = 60_000;
const bearer = /^Bearer ([a-z0-9]{6}\.[a-z0-9]{16})$/i;

/** @param stalledMs how long a machine may take nothing of its download. */
export function createInstallation(source: InstallationSource, stalledMs = stalledDefault): InstallationHandler {
  let transfers = 0;

  async function sendScript(exchange: Exchange): Promise<void> {
    const token = bearer.exec(exchange.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      throw new ApiError(
        'BadRequest',
        'the install script is for who asks with a bootstrap token (Authorization: Bearer)',
      );
    }
    const text = await source.script(token).catch((error: unknown) => {
      if (error instanceof CodedError) throw new ApiError('ServiceUnavailable', error.message, { cause: error });
      throw error;
    });
    const headers = { 'content-type': 'text/x-shellscript; charset=utf-8', 'cache-control': 'no-store' };
    exchange.send(200, headers, Buffer.from(text));
  }

  async function sendArchive(exchange: Exchange, architecture: string): Promise<void> {
    const archive = await source.archive(architecture);
    if (archive === undefined) throw new ApiError('NotFound', `there is no k8ts for linux-${architecture} here`);
    const { sha256, size } = archive;
    const etag = `"${sha256}"`;
    const headers: OutgoingHttpHeaders = { etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' };
    if (exchange.headers['if-none-match'] === etag) return exchange.send(304, headers, Buffer.alloc(0));
    const ifRange = exchange.headers['if-range'];
    const start = ifRange === undefined || ifRange === etag ? startOf(exchange.headers.range) : 0;
    if (start > 0 && start >= size) {
      return exchange.send(416, { ...headers, 'content-range': `bytes */${size}` }, Buffer.alloc(0));
    }
    if (transfers >= transfersMax) {
      const message = `${transfersMax} machines download k8ts at the moment`;
      throw new ApiError('TooManyRequests', message, { retryAfterSeconds });
    }
    headers['content-type'] = 'application/gzip';
    headers['content-length'] = size - start;
    if (start > 0) headers['content-range'] = `bytes ${start}-${size - 1}/${size}`;
    transfers += 1;
    try {
      await sendFile(exchange, { headers, archive, start, stalledMs });
    } finally {
      transfers -= 1;
    }
  }

  return async (exchange, path) => {
    if (path === '/k8ts/install') return sendScript(exchange);
    const architecture = /^\/k8ts\/bundle\/([a-z0-9]+)$/.exec(path)?.[1];
    if (architecture === undefined) throw new ApiError('NotFound', 'the server could not find the requested resource');
    return sendArchive(exchange, architecture);
  };
}

/** False for a machine that takes nothing for so long: others wait for its place. */
async function catchesUp(body: BodyStream, stalledMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), stalledMs);
  });
  const isBack = await Promise.race([body.drained().then(() => true), stalled]);
  clearTimeout(timer);
  return isBack;
}

/** `bytes=N-`; other forms are left out, which RFC 9110 §14.2 allows: the whole is sent. */
function startOf(range: string | undefined): number {
  return Number(/^bytes=(\d{1,15})-$/.exec(range ?? '')?.[1] ?? 0);
}

interface Transfer {
  readonly headers: OutgoingHttpHeaders;
  readonly archive: Archive;
  readonly start: number;
  readonly stalledMs: number;
}

async function sendFile(exchange: Exchange, { headers, archive, start, stalledMs }: Transfer): Promise<void> {
  const file = await open(archive.path);
  try {
    const body = exchange.stream(start > 0 ? 206 : 200, headers);
    if (exchange.method === 'HEAD') return body.end();
    for (let at = start; at < archive.size && !body.closed; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceSize), 0, pieceSize, at);
      if (bytesRead === 0) return body.destroy(); // cut by somebody meanwhile: the client sees that bytes are missing
      at += bytesRead;
      if (!body.write(buffer.subarray(0, bytesRead)) && !(await catchesUp(body, stalledMs))) return body.destroy();
    }
    body.end();
  } finally {
    await file.close();
  }
}
