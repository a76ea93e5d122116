// What open watches cost a server that is otherwise at rest: one connection each, as clients of HTTP/1.1 have, and many to
// a connection, as client-go's informers have. Each form gets a server of its own, because memory that was given out once
// is not all given back.

import { once } from 'node:events';
import { connect } from 'node:http2';
import { type Identity, openClient, readIdentity } from './client.ts';
import { processUse } from './measure.ts';
import { startServerProcess } from './server-process.ts';

const watches = 500;
const connections = 5;
const openedAtOnce = 20;
const settleMs = 1000;
const path = '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=1&timeoutSeconds=600';

export interface WatchMemory {
  readonly watches: number;
  /** Bytes resident more than before. */
  readonly apart: number;
  readonly shared: number;
  /** Of `shared`. */
  readonly connections: number;
}

/** @param serverFlags of `run control-plane`. */
export async function measureWatchMemory(serverFlags: readonly string[]): Promise<WatchMemory> {
  return {
    watches,
    apart: await growth(serverFlags, openApart),
    shared: await growth(serverFlags, openShared),
    connections,
  };
}

async function growth(
  serverFlags: readonly string[],
  open: (identity: Identity) => Promise<() => Promise<void> | void>,
): Promise<number> {
  const server = await startServerProcess(serverFlags);
  try {
    const identity = await readIdentity(server.kubeconfig);
    const before = await resident(server.pid);
    const close = await open(identity);
    const after = await resident(server.pid);
    await close();
    return after - before;
  } finally {
    await server.stop();
  }
}

async function openApart(identity: Identity): Promise<() => Promise<void>> {
  const client = openClient(identity, 1);
  for (let open = 0; open < watches; open += openedAtOnce) {
    await Promise.all(Array.from({ length: openedAtOnce }, () => client.watch(path, () => undefined).started));
  }
  return () => client.close();
}

async function openShared({ origin, ...identity }: Identity): Promise<() => void> {
  const sessions = Array.from({ length: connections }, () => connect(origin, identity));
  for (const session of sessions) {
    const streams = Array.from({ length: watches / connections }, () => session.request({ ':path': path }).resume());
    await Promise.all(streams.map((stream) => once(stream, 'response')));
  }
  return () => {
    for (const session of sessions) session.destroy();
  };
}

async function resident(pid: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  return (await processUse(pid)).resident;
}
