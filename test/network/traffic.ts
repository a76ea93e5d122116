// A small server and client for tests, run inside of a namespace:
//   node traffic.ts serve PORT NAME    TCP and UDP: answers `NAME CLIENT-ADDRESS`; prints a line when it listens
//   node traffic.ts ask tcp|udp ADDRESS PORT [SOURCE-PORT [COUNT]]    prints each answer, or the error's code

import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const [mode, ...args] = process.argv.slice(2);
if (mode === 'serve') serve(Number(args[0]), args[1] ?? '');
else {
  const [protocol = '', address = '', port, sourcePort = 0, count = 1] = args;
  for (let left = Number(count); left > 0; left--) {
    console.log(await ask(protocol, address, Number(port), Number(sourcePort)));
  }
  process.exit(0); // a socket that still tries would keep the process
}

function serve(port: number, name: string): void {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}`);
  }).listen(port, '0.0.0.0', () => {
    const udp = createSocket('udp4');
    udp.on('message', (_message, from) => udp.send(`${name} ${from.address}`, from.port, from.address));
    udp.bind(port, () => console.log('listening'));
  });
}

function ask(protocol: string, address: string, port: number, sourcePort: number): Promise<string> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve('ETIMEDOUT'), 1500);
    const settle = (answer: string): void => {
      clearTimeout(late);
      resolve(answer);
    };
    const fail = (error: NodeJS.ErrnoException): void => settle(error.code ?? error.message);
    if (protocol === 'tcp') {
      const socket = connect(port, address);
      socket.once('data', (answer) => settle(answer.toString()));
      socket.once('error', fail);
    } else {
      const socket = createSocket('udp4');
      socket.once('message', (answer) => settle(answer.toString()));
      socket.once('error', fail);
      socket.bind(sourcePort, () => socket.connect(port, address, () => socket.send('?')));
    }
  });
}
