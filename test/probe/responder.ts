// Run in a namespace: a nameserver that answers every question with its own bytes, and says first that it listens.

import { createSocket } from 'node:dgram';

const socket = createSocket('udp4');
socket.on('message', (message, { port, address }) => socket.send(message, port, address));
socket.bind(53, '10.96.0.10', () => process.stdout.write('listening\n'));
