// One DNS question from inside of a namespace: node lookup.ts SERVER NAME TYPE [tcp]. Prints the code and the answers.

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type Answer, decode, encode, type Packet, type RecordType, streamDecode, streamEncode } from 'dns-packet';

const [server = '', name = '', type = 'A', transport = 'udp'] = process.argv.slice(2);
const late = setTimeout(() => finish('ETIMEDOUT'), 1500);
const query: Packet = { type: 'query', id: 7, flags: 0x0100, questions: [{ type: type as RecordType, name }] };
if (transport === 'tcp') {
  const socket = connect(53, server, () => socket.write(streamEncode(query)));
  socket.once('data', (bytes) => finish(show(bytes.readUInt16BE(4) & 0x0f, streamDecode(bytes).answers)));
  socket.once('error', (error) => finish(error.message));
} else {
  const socket = createSocket('udp4');
  socket.once('message', (bytes) => finish(show(bytes.readUInt16BE(2) & 0x0f, decode(bytes).answers)));
  socket.once('error', (error) => finish(error.message));
  socket.connect(53, server, () => socket.send(encode(query)));
}

function show(rcode: number, answers: readonly Answer[] = []): string {
  const data = answers.map((answer) =>
    ('data' in answer ? JSON.stringify(answer.data) : answer.type).replaceAll('"', ''),
  );
  return [['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN'][rcode] ?? rcode, ...data].join(' ');
}

function finish(line: string): void {
  clearTimeout(late);
  console.log(line);
  process.exit(0);
}
