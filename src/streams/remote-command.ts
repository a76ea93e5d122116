// exec and attach for a WebSocket client in front of a SPDY server: opens the SPDY streams that the client's flags name,
// carries bytes both ways, and passes the command's Status (exit code) on when both outputs have ended.
// A connection that is lost without a Status becomes a failure Status, so that no client takes it for success.

import type { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Channels } from './channels.ts';
import type { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';

export interface RemoteCommandFlags {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** A Status is a few hundred bytes; nothing larger is taken. */
const maxStatus = 64 * 1024;

/**
 * Resolves when the command is over and the client was told, or the client has gone. Never rejects: what goes wrong is
 * told to the client as a Status.
 */
export async function translateRemoteCommand(
  client: Channels,
  server: SpdyConnection,
  flags: RemoteCommandFlags,
): Promise<void> {
  const done = run(client, server, flags).catch((error: unknown) => failure(String(error)));
  const status = await Promise.race([done, client.closed.then(() => undefined)]);
  if (status !== undefined) {
    await write(client.output('error'), status);
    client.close();
  }
  server.close();
}

/** The Status to tell the client. */
async function run(client: Channels, server: SpdyConnection, flags: RemoteCommandFlags): Promise<Buffer> {
  // The error stream first: a server that cannot run the command has somewhere to say so.
  const open = (streamtype: string): Promise<SpdyStream> => server.open({ streamtype });
  const error = await open('error');
  const stdin = flags.stdin ? await open('stdin') : undefined;
  const stdout = flags.stdout ? await open('stdout') : undefined;
  const stderr = flags.stderr && !flags.tty ? await open('stderr') : undefined;
  const resize = flags.tty ? await open('resize') : undefined;
  // An empty message tells the client that the streams are there.
  const first = stdout !== undefined ? 'stdout' : stderr !== undefined ? 'stderr' : 'error';
  await write(client.output(first), Buffer.alloc(0));

  void quietly(forward(client.stdin, stdin));
  void quietly(forward(client.resize, resize));
  const outputs = Promise.all([
    stdout && pipeline(stdout, client.output('stdout')),
    stderr && pipeline(stderr, client.output('stderr')),
  ]);
  const status = await readAll(error);
  await quietly(outputs);
  return status.length > 0 ? status : failure('the connection to the node was lost before the command ended');
}

async function forward(from: Readable, to: Writable | undefined): Promise<void> {
  if (to === undefined) {
    // Input that nobody asked for is dropped, so that it cannot stop the connection.
    from.resume();
    await finished(from);
    return;
  }
  await pipeline(from, to);
}

async function readAll(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      size += part.length;
      if (size <= maxStatus) parts.push(part);
    }
  } catch {
    // Cut off: what is there tells, or nothing does.
  }
  return Buffer.concat(parts);
}

function write(to: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    to.on('error', () => resolve());
    to.write(chunk, () => resolve());
  });
}

/** A stream that breaks off shows in the Status, or in the missing one; there is nothing more to say here. */
function quietly(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => undefined,
    () => undefined,
  );
}

function failure(message: string): Buffer {
  const status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
  return Buffer.from(JSON.stringify({ kind: 'Status', apiVersion: 'v1', ...status }));
}
