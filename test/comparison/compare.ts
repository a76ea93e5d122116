// Sends the same requests to kube-apiserver and to ours and shows where the answers differ: every field of a valid object of
// each kind made wrong, as a dry run. See scripts/compare-answers for the flags and for how to read what comes out.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Identity, type LoadClient, openClient, readIdentity } from '../../bench/client.ts';
import { startPeerProcess } from '../../bench/peer-process.ts';
import { type ServerProcess, startServerProcess } from '../../bench/server-process.ts';
import { type Answer, answerOf, type Difference, differenceOf, show } from './answer.ts';
import { canApply, mutationsOf } from './mutations.ts';
import type { Json, Sample } from './sample.ts';
import { coreSamples } from './samples-core.ts';
import { extensionsSamples } from './samples-extensions.ts';
import { podsSamples } from './samples-pods.ts';
import { policySamples } from './samples-policy.ts';
import { storageSamples } from './samples-storage.ts';
import { workloadsSamples } from './samples-workloads.ts';

const { values: flags } = parseArgs({
  options: {
    peer: { type: 'string' },
    kind: { type: 'string' },
    update: { type: 'boolean', default: false },
    show: { type: 'string' },
  },
});
if (flags.peer === undefined) throw new Error('--peer DIR is missing: the folder of kube-apiserver');

const samples = [
  ...coreSamples,
  ...podsSamples,
  ...storageSamples,
  ...workloadsSamples,
  ...policySamples,
  ...extensionsSamples,
].filter(
  ({ object: { kind, metadata } }) => flags.kind === undefined || `${kind}/${metadata.name}`.includes(flags.kind),
);
const atOnce = 8;

interface Side {
  readonly server: ServerProcess;
  readonly client: LoadClient;
}

const sides = [
  await side(startPeerProcess(flags.peer)),
  await side(startServerProcess(['--controllers=none', '--no-scheduler'])),
];
const [peer, ours] = sides as [Side, Side];
try {
  const counts = new Map<Difference, number>();
  for (const sample of samples) {
    const own = new Map<Difference, number>();
    for await (const { label, answers } of compared(sample)) {
      const difference = differenceOf(...answers);
      own.set(difference, (own.get(difference) ?? 0) + 1);
      if (difference === flags.show) console.log(show(sample, label, answers));
    }
    console.error(`${sample.object.kind}/${sample.object.metadata.name}: ${told(own)}`);
    for (const [difference, count] of own) counts.set(difference, (counts.get(difference) ?? 0) + count);
  }
  console.error(told(counts));
} finally {
  for (const { client, server } of sides) {
    await client.close();
    await server.stop();
  }
}

async function side(starting: Promise<ServerProcess>): Promise<Side> {
  const server = await starting;
  const identity: Identity = await readIdentity(server.kubeconfig);
  const client = openClient(identity, atOnce);
  await makeServiceAccount(client);
  return { server, client };
}

/** What a controller would make, and pods need; the namespace comes a moment after the server. */
async function makeServiceAccount(client: LoadClient): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  for (let tries = 0; tries < 50; tries += 1) {
    const { status } = await client.send('POST', '/api/v1/namespaces/default/serviceaccounts', account);
    if (status === 201) return;
    await sleep(100);
  }
  throw new Error('no ServiceAccount could be made');
}

interface Compared {
  readonly label: string;
  readonly answers: readonly [Answer, Answer];
}

async function* compared(sample: Sample): AsyncGenerator<Compared> {
  const objects = flags.update ? await stored(sample) : [forPeer(sample), sample.object as Json];
  const [first, second] = objects;
  if (first === undefined || second === undefined) return;
  const name = flags.update ? `/${sample.object.metadata.name}` : '';
  const ask = async (label: string, given: Json, own: Json): Promise<Compared> => {
    const method = flags.update ? 'PUT' : 'POST';
    const answers = await Promise.all([
      peer.client.send(method, `${sample.peer?.path ?? sample.path}${name}?dryRun=All`, given),
      ours.client.send(method, `${sample.path}${name}?dryRun=All`, own),
    ]);
    return { label, answers: [answerOf(answers[0]), answerOf(answers[1])] };
  };
  yield ask('as it is', first, second);
  const mutations = mutationsOf(second).filter((one) => canApply(one, first));
  for (let at = 0; at < mutations.length; at += atOnce) {
    const group = mutations.slice(at, at + atOnce);
    yield* await Promise.all(group.map((one) => ask(one.label, one.apply(first), one.apply(second))));
  }
}

function forPeer({ object, peer: other }: Sample): Json {
  return other === undefined ? object : { ...object, apiVersion: other.apiVersion };
}

/** The object as each side keeps it, without its status and who owns what; nothing when one of them does not take it. */
async function stored(sample: Sample): Promise<readonly (Json | undefined)[]> {
  const paths = [sample.peer?.path ?? sample.path, sample.path];
  const objects = [forPeer(sample), sample.object];
  return Promise.all(
    sides.map(async ({ client }, index) => {
      const path = paths[index] ?? '';
      await client.send('POST', path, objects[index]);
      const { status, body } = await client.send('GET', `${path}/${sample.object.metadata.name}`);
      if (status !== 200) return undefined;
      const { status: _status, metadata, ...rest } = JSON.parse(body.toString()) as Json & { readonly metadata: Json };
      const { managedFields: _fields, ...meta } = metadata;
      return { ...rest, metadata: meta };
    }),
  );
}

function told(counts: ReadonlyMap<Difference, number>): string {
  return [...counts].map(([difference, count]) => `${count} ${difference}`).join(', ');
}
