// A server that does nothing: TLS, and the same 1 KB for every request. What the client gets out of it is the most that the
// client could measure of any server on this machine.
// usage: node bench/trivial-server.ts FOLDER   (with pki/apiserver.crt and .key); prints its port

import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';

const folder = process.argv[2] ?? '.';
const read = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8');
const body = JSON.stringify({ metadata: { resourceVersion: '1' }, data: 'x'.repeat(1000) });
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

const server = createServer({ cert: read('apiserver.crt'), key: read('apiserver.key'), noDelay: true }, (socket) => {
  let missing = 0;
  socket.on('error', () => undefined);
  // Requests come one at a time and heads whole, which holds for this client alone.
  socket.on('data', (chunk) => {
    if (missing > 0) missing -= chunk.length;
    else {
      const end = chunk.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(chunk.toString('latin1', 0, end))?.[1] ?? 0);
      missing = length - (chunk.length - end - 4);
    }
    if (missing === 0) socket.write(answer, 'latin1');
  });
});
server.listen(0, '127.0.0.1', () => console.log(String((server.address() as AddressInfo).port)));
