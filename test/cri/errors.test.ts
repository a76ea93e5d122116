import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createCri, isRuntimeDown, type RuntimeEvent } from '../../src/cri/index.ts';
import * as m from '../../src/cri/messages.ts';
import { type Encodable, encode, type Message } from '../../src/cri/wire.ts';

const dir = mkdtempSync(join(tmpdir(), 'k8ts-cri-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

interface Reply {
  readonly status?: number;
  readonly message?: string;
  readonly bodies?: readonly Buffer[];
  readonly silent?: boolean;
}

/** A gRPC server on a unix socket that answers by method name. */
async function serve(t: Test, answer: (method: string) => Reply): Promise<string> {
  const socket = join(dir, `${Math.random().toString(36).slice(2)}.sock`);
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const { status = 0, message = '', bodies = [], silent = false } = answer(method);
    stream.on('error', () => undefined);
    if (silent) return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status), 'grpc-message': message }));
    for (const body of bodies) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      stream.write(head);
      stream.write(body);
    }
    stream.end();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return socket;
}

function one<T>(type: Message<T>, value: Encodable<T>): Reply {
  return { bodies: [encode(type, value)] };
}

t.test('no socket, or nobody behind it', async (t) => {
  const absent = createCri(join(dir, 'absent.sock'));
  await t.rejects(absent.version(), { code: 'CRI_SOCKET_ABSENT', hint: /install and start/ });
  const path = join(dir, 'left.sock');
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const left = createCri(path);
  // A process that was killed leaves its socket behind: the same as one that is bound but not listened on.
  server.close();
  const error = await left.version().catch((caught: unknown) => caught);
  t.ok(isRuntimeDown(error));
});

t.test('errors of the runtime, with their next step', async (t) => {
  const cases = [
    {
      name: 'disabled plugin',
      reply: { status: 12, message: 'unknown service runtime.v1.RuntimeService' },
      want: { code: 'CRI_PLUGIN_DISABLED', hint: /disabled_plugins/ },
    },
    {
      name: 'method not there',
      reply: { status: 12, message: 'unknown method Version' },
      want: { code: 'CRI_UNIMPLEMENTED' },
    },
    {
      name: 'no CAP_SYS_RESOURCE',
      reply: { status: 2, message: 'write /proc/self/oom_score_adj: permission denied' },
      want: { code: 'CRI_OOM_SCORE_REFUSED', hint: /restrict_oom_score_adj/ },
    },
    {
      name: 'no CNI configuration',
      reply: { status: 2, message: 'cni plugin not initialized' },
      want: { code: 'CRI_NETWORK_NOT_READY' },
    },
    {
      name: 'no CNI plugin',
      reply: { status: 2, message: 'failed to find plugin "bridge" in path [/opt/cni/bin]' },
      want: { code: 'CRI_CNI_PLUGIN_ABSENT', hint: /containernetworking-plugins/ },
    },
    {
      name: 'message with escapes',
      reply: { status: 2, message: '100%25 wrong' },
      want: { code: 'CRI_CALL_FAILED', message: '100% wrong' },
    },
    { name: 'answer without a message', reply: {}, want: { message: /answered nothing/ } },
  ];
  for (const { name, reply, want } of cases) {
    const cri = createCri(await serve(t, () => reply));
    await t.rejects(cri.version(), want, name);
    await cri.close();
  }
});

t.test('a call can be aborted while the runtime is silent', async (t) => {
  const cri = createCri(await serve(t, () => ({ silent: true })));
  const stop = new AbortController();
  const call = cri.version(stop.signal);
  stop.abort(new Error('enough'));
  await t.rejects(call, { message: 'enough' });
  await cri.close();
});

t.test('the cgroup driver from RuntimeConfig, or from the configuration of containerd 1.6', async (t) => {
  const modern = createCri(await serve(t, () => one(m.RuntimeConfigResponse, { linux: { cgroupDriver: 'cgroupfs' } })));
  t.equal(await modern.cgroupDriver(), 'cgroupfs');
  await modern.close();
  const config = {
    containerd: { defaultRuntimeName: 'runc', runtimes: { runc: { options: { SystemdCgroup: true } } } },
  };
  const old = createCri(
    await serve(t, (method) =>
      method === 'RuntimeConfig'
        ? { status: 12, message: 'unknown method RuntimeConfig' }
        : one(m.StatusResponse, { info: { config: JSON.stringify(config) } }),
    ),
  );
  t.equal(await old.cgroupDriver(), 'systemd');
  await old.close();
});

t.test('events by GetContainerEvents where the runtime has it, by containerd otherwise', async (t) => {
  const read = async (socket: string): Promise<RuntimeEvent[]> => {
    const cri = createCri(socket);
    const events: RuntimeEvent[] = [];
    for await (const event of cri.events(new AbortController().signal)) events.push(event);
    await cri.close();
    return events;
  };
  const event = (type: 'started' | 'stopped') =>
    encode(m.ContainerEvent, { containerId: 'c1', containerEventType: type });
  const modern = await serve(t, () => ({ bodies: [event('started'), event('stopped')] }));
  t.match(await read(modern), [
    { type: 'started', id: 'c1' },
    { type: 'stopped', id: 'c1' },
  ]);
  const envelope = (topic: string) =>
    encode(m.Envelope, { topic, event: { value: encode(m.TaskEvent, { containerId: 'c2' }) } });
  const old = await serve(t, (method) =>
    method === 'GetContainerEvents'
      ? { status: 12, message: 'unknown method' }
      : { bodies: [envelope('/tasks/oom'), envelope('/images/create'), envelope('/tasks/delete')] },
  );
  t.same(await read(old), [
    { type: 'oom', id: 'c2' },
    { type: 'stopped', id: 'c2' },
  ]);
});
