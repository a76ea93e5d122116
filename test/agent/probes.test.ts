import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { createProber, type ProbeKind } from '../../src/agent/probes/prober.ts';
import { runProbe } from '../../src/agent/probes/run-probe.ts';
import type { Container, Probe } from '../../src/api/index.ts';
import { createFakeCri } from '../../src/cri/index.ts';
import { container, pod } from './builders.ts';

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const web = await listen(
  http.createServer((request, response) => {
    if (request.url === '/slow') return;
    response.statusCode =
      request.url === '/bad' ? 500 : request.url === '/moved' ? 302 : request.headers['x-key'] === '1' ? 204 : 200;
    response.end();
  }),
);
const silent = await listen(net.createServer());
const health = await listen(
  http2.createServer().on('stream', (stream: http2.ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    stream.on('end', () => {
      const bad = Buffer.concat(chunks).includes('bad');
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, bad ? 2 : 1]));
    });
  }),
);

const cri = createFakeCri();
cri.addImage('i');
const sandbox = await cri.runPodSandbox({ metadata: { uid: 'u1' } });
const id = await cri.createContainer(sandbox, { image: { image: 'i' } }, {});
await cri.startContainer(id);
cri.onExec((_id, [command = '']) => ({
  stdout: Buffer.from(command),
  stderr: new Uint8Array(),
  exitCode: command === 'bad' ? 1 : 0,
}));

t.test('one look', async (t) => {
  const named = container('main', { ports: [{ name: 'web', containerPort: web }] });
  const cases: readonly { readonly name: string; readonly given: Probe; readonly want: RegExp | undefined }[] = [
    { name: 'HTTP 200', given: { httpGet: { port: web, path: '/' } }, want: undefined },
    { name: 'HTTP by the name of a port', given: { httpGet: { port: 'web' } }, want: undefined },
    { name: 'HTTP redirect', given: { httpGet: { port: web, path: '/moved' } }, want: undefined },
    { name: 'HTTP 500', given: { httpGet: { port: web, path: '/bad' } }, want: /statuscode: 500/ },
    { name: 'HTTP too slow', given: { httpGet: { port: web, path: '/slow' }, timeoutSeconds: 0.05 }, want: /timeout/ },
    { name: 'HTTP to a port that is not open', given: { httpGet: { port: 1 } }, want: /ECONNREFUSED/ },
    { name: 'a port name that is not there', given: { httpGet: { port: 'no' } }, want: /invalid port/ },
    { name: 'TCP', given: { tcpSocket: { port: silent } }, want: undefined },
    { name: 'TCP refused', given: { tcpSocket: { port: 1 } }, want: /dial tcp 127\.0\.0\.1:1/ },
    { name: 'exec', given: { exec: { command: ['good'] } }, want: undefined },
    { name: 'exec fails with its output', given: { exec: { command: ['bad'] } }, want: /^bad$/ },
    { name: 'gRPC', given: { grpc: { port: health } }, want: undefined },
    { name: 'gRPC not serving', given: { grpc: { port: health, service: 'bad' } }, want: /service unhealthy/ },
    { name: 'gRPC to nobody', given: { grpc: { port: 1 } }, want: /failed to connect/ },
  ];
  for (const { name, given, want } of cases) {
    const why = await runProbe(given, { cri, container: named, containerId: id, podIp: '127.0.0.1' });
    if (want === undefined) t.equal(why, undefined, name);
    else t.match(why, want, name);
  }
});

t.test('verdicts', async (t) => {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  let answer = 'bad';
  cri.onExec(() => ({ stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: answer === 'bad' ? 1 : 0 }));
  const failures: ProbeKind[] = [];
  let changes = 0;
  const prober = createProber({
    cri,
    now: () => 0,
    signal: stop.signal,
    changed: () => {
      changes += 1;
    },
    failed: (_pod, _container, kind) => failures.push(kind),
  });
  const probe = (more: Probe = {}): Probe => ({ exec: { command: ['x'] }, periodSeconds: 0.01, ...more });
  const main: Container = container('main', {
    startupProbe: probe({ failureThreshold: 1000 }),
    readinessProbe: probe({ failureThreshold: 2 }),
    livenessProbe: probe(),
  });
  const sync = (ending = false): void =>
    prober.sync(pod(), '127.0.0.1', [{ id, container: main, startedAt: 0 }], { ending });
  const until = async (what: string, is: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 500 && !is(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    t.ok(is(), what);
  };

  sync();
  await until('the startup probe runs', () => failures.length >= 2);
  t.ok(
    failures.every((kind) => kind === 'startup'),
    'and nothing else before it has succeeded',
  );
  t.equal(prober.result(id, 'startup'), undefined);
  answer = 'good';
  await until('it has started', () => prober.result(id, 'startup') === 'success');
  sync();
  await until('it is ready', () => prober.result(id, 'readiness') === 'success');
  await until('it lives', () => prober.result(id, 'liveness') === 'success');
  answer = 'bad';
  await until('it is not ready', () => prober.result(id, 'readiness') === 'failure');
  await until('it is dead', () => prober.result(id, 'liveness') === 'failure');
  t.equal(prober.result(id, 'startup'), 'success');
  t.equal(changes, 5, 'told once for each change');
  sync(true);
  answer = 'good';
  await until('readiness goes on while the pod ends', () => prober.result(id, 'readiness') === 'success');
  t.equal(prober.result(id, 'liveness'), 'failure', 'liveness does not');
  prober.forget('u1');
  t.equal(prober.result(id, 'readiness'), undefined);
});
