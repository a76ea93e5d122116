// Stock kubectl against the API server and a small agent. Each command runs over WebSocket (kubectl's default) and over SPDY.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { kubectlPath, noKubectl, startTestCluster, type TestCluster } from './cluster.ts';

const transports = [
  { transport: 'WebSocket', env: {} },
  { transport: 'SPDY', env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' } },
] as const;

t.test('kubectl', { skip: noKubectl }, async (t) => {
  const cluster = await startTestCluster();
  t.teardown(() => cluster.close());

  t.test('logs', async (t) => {
    for (const { args, code, out, err } of [
      { args: ['web'], code: 0, out: 'first\nsecond\n', err: /^$/ },
      { args: ['web', '-f'], code: 0, out: 'first\nfollowed\n', err: /^$/ },
      {
        args: ['waiting'],
        code: 1,
        out: '',
        err: /\(BadRequest\): container "main" in pod "waiting" is waiting to start/,
      },
      { args: ['web', '-c', 'no'], code: 1, out: '', err: /container no is not valid for pod web/ },
      { args: ['lost'], code: 1, out: '', err: /\(NotFound\): nodes "gone" not found/ },
      { args: ['unbound'], code: 0, out: '', err: /^$/ },
    ]) {
      const answer = await cluster.kubectl(['logs', ...args]);
      t.equal(answer.code, code, args.join(' '));
      t.equal(answer.stdout.toString(), out);
      t.match(answer.stderr, err);
    }
    await cluster.kubectl(['logs', 'web', '--tail=3', '--since=10s', '--timestamps', '--previous', '--limit-bytes=9']);
    const query = new URLSearchParams(cluster.agent.requests.at(-1)?.split('?')[1]);
    t.strictSame(Object.fromEntries(query), {
      previous: 'true',
      sinceSeconds: '10',
      timestamps: 'true',
      tailLines: '3',
      limitBytes: '9',
    });
    t.match(
      (await cluster.kubectl(['get', '--raw', '/api/v1/namespaces/default/pods/two/log'])).stderr,
      /a container name must be specified for pod two, choose one of: \[a b\]/,
    );
    t.match(
      (await cluster.kubectl(['get', '--raw', '/api/v1/namespaces/default/pods/web/log?tailLines=-1'])).stderr,
      /tailLines: Invalid value: -1: must be greater than or equal to 0/,
    );
  });

  for (const { transport, env } of transports) {
    t.test(`exec over ${transport}`, async (t) => {
      const exec = (args: readonly string[], input?: Buffer) => cluster.kubectl(['exec', ...args], input, env);
      const plain = await exec(['web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
      t.equal(plain.code, 7);
      t.equal(plain.stdout.toString(), 'out\n');
      t.match(plain.stderr, /^err\ncommand terminated with exit code 7/);
      const input = randomBytes(2_000_000);
      const hash = await exec(['-i', 'web', '--', 'sha256sum'], input);
      t.match(hash.stdout.toString(), createHash('sha256').update(input).digest('hex'), '2 MB in');
      t.equal((await exec(['web', '--', 'head', '-c', '3000000', '/dev/zero'])).stdout.length, 3_000_000, '3 MB out');
      t.match((await exec(['broken', '--', 'x'])).stderr, /pod broken_default not found/);
      t.match((await exec(['web', '-c', 'no', '--', 'x'])).stderr, /container no is not valid for pod web/);
    });

    t.test(`attach over ${transport}`, async (t) => {
      const answer = await cluster.kubectl(['attach', '-i', 'web'], 'there and back\n', env);
      t.equal(answer.stdout.toString(), 'there and back\n');
      t.equal(answer.code, 0);
      t.match(cluster.agent.requests.at(-1), /^\/attach\/default\/web\/main\?input=1&output=1&error=1$/);
    });

    t.test(`a terminal over ${transport}: its size arrives`, async (t) => {
      cluster.agent.resizes.length = 0;
      // script(1) gives kubectl a terminal to measure.
      const command = `stty rows 33 cols 77; ${kubectlPath} exec -it web -- sh -c 'sleep 0.2; echo done'`;
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        env: { ...env, KUBECONFIG: cluster.kubeconfig, HOME: tmpdir(), PATH: process.env['PATH'] ?? '' },
      });
      let text = '';
      child.stdout.on('data', (part) => {
        text += String(part);
      });
      const [code] = await once(child, 'close');
      t.equal(code, 0, text);
      t.match(text, /done/);
      t.match(cluster.agent.resizes.join(''), /"Width":77,"Height":33/);
    });

    t.test(`cp over ${transport}`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'k8ts-cp-'));
      t.teardown(() => rm(folder, { recursive: true, force: true }));
      const content = randomBytes(300_000);
      await writeFile(join(folder, 'a'), content);
      t.equal((await cluster.kubectl(['cp', join(folder, 'a'), `web:${folder}/b`], '', env)).code, 0);
      t.equal((await cluster.kubectl(['cp', `web:${folder}/b`, join(folder, 'c')], '', env)).code, 0);
      t.ok((await readFile(join(folder, 'c'))).equals(content));
    });

    t.test(`port-forward over ${transport}`, async (t) => {
      const echo = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.pipe(socket);
      });
      echo.listen(0, '127.0.0.1');
      await once(echo, 'listening');
      const { port } = echo.address() as AddressInfo;
      const forwarding = startForward(cluster, port, env);
      t.teardown(() => {
        echo.close();
        forwarding.kill();
      });
      const local = await localPort(forwarding);
      for (const bytes of [randomBytes(1_000_000), randomBytes(10)]) {
        const socket = connect(local, '127.0.0.1');
        socket.write(bytes);
        const back: Buffer[] = [];
        let size = 0;
        for await (const part of socket as AsyncIterable<Buffer>) {
          back.push(part);
          size += part.length;
          if (size >= bytes.length) break;
        }
        t.ok(Buffer.concat(back).equals(bytes), `${bytes.length} bytes there and back`);
      }
    });
  }

  t.test('nodes/proxy and a workload that is not there', async (t) => {
    const metrics = await cluster.kubectl(['get', '--raw', '/api/v1/nodes/n1/proxy/metrics?a=b']);
    t.equal(metrics.stdout.toString(), 'up 1 ?a=b\n');
    const closed = await cluster.kubectl(['get', '--raw', '/api/v1/namespaces/default/pods/web:1/proxy/']);
    t.match(closed.stderr, /error dialing backend 127.0.0.1:1: .*ECONNREFUSED/);
  });

  t.test('only who may exec gets through', async (t) => {
    const answer = await cluster.kubectl(['exec', 'web', '--as', 'bob', '--', 'id']);
    t.match(
      answer.stderr,
      /User "bob" cannot (get|create) resource "pods(\/exec)?" in API group "" in the namespace "default"/,
    );
  });
});

function startForward(cluster: TestCluster, port: number, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(kubectlPath, ['port-forward', 'pod/web', `:${port}`], {
    env: { ...env, KUBECONFIG: cluster.kubeconfig, HOME: tmpdir() },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Reads on afterwards: kubectl ends when nobody takes its output. */
function localPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (part) => {
      text += String(part);
      const found = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.once('close', () => reject(new Error(`kubectl said: ${text}`)));
  });
}
