// A machine that is a node already: join, run again, needs neither token nor discovery. It makes sure that the agent runs, and
// says how the node is. A token that expired long ago is no reason to fail here.

import { CodedError } from '../base/index.ts';
import { agentServiceSpec, ensureService, waitForReady } from '../bootstrap/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { type ApiClient, clientFromKubeconfig } from '../client/index.ts';
import { type AgentConfig, agentConfigPath, agentService, kubernetesDir, paths } from '../config/index.ts';
import type { Host } from '../host/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { JoinContext } from './context.ts';

/** True once the agent has a certificate of its own. */
export async function isMember(host: Host): Promise<boolean> {
  const [identity, config] = await Promise.all([host.stat(paths.kubeletConf), host.stat(agentConfigPath)]);
  return identity !== undefined && config !== undefined;
}

const sameCluster: Phase<JoinContext> = {
  name: 'discovery',
  title: 'Comparing the cluster with the one that this machine is in',
  run: async ({ host, discovery, say }) => {
    const nodeName = await ownName(host);
    const hashes = splitCertificates((await host.readFile(paths.caFile)).toString('utf8')).map(caCertHash);
    const wanted = discovery.by === 'token' ? discovery.caCertHashes : [];
    if (wanted.length > 0 && !wanted.some((hash) => hashes.includes(hash))) {
      throw new CodedError('OTHER_CLUSTER', `this machine is node ${nodeName} of another cluster`, {
        exit: 'preflight',
        hint: 'if it shall leave that cluster, run: k8ts reset',
      });
    }
    say(`This machine is node ${nodeName} of this cluster already; its agent is started if it does not run.`);
  },
};

const startAgain: Phase<JoinContext> = {
  name: 'kubelet-start',
  title: 'Starting the node agent',
  run: async ({ host, services, program, installProgram }) => {
    await installProgram(host);
    await ensureService({ host, services, spec: agentServiceSpec(program), files: [] });
  },
};

const waitAgain: Phase<JoinContext> = {
  name: 'wait-node',
  title: 'Waiting for the node to be Ready',
  run: async ({ host, services, found }, progress) => {
    const client = await connectAsNode(host);
    found.client = client;
    const node = await ownName(host);
    await waitForReady({ client, services, service: agentService, node, progress, deadline: 120_000 });
  },
};

/** What join does on a machine that is a node already. */
export const memberPhases: readonly Phase<JoinContext>[] = [sameCluster, startAgain, waitAgain];

async function connectAsNode(host: Host): Promise<ApiClient> {
  const text = (await host.readFile(paths.kubeletConf)).toString('utf8');
  return clientFromKubeconfig(text, { folder: kubernetesDir, retries: 0 });
}

async function ownName(host: Host): Promise<string> {
  const text = (await host.readFile(agentConfigPath)).toString('utf8');
  return (JSON.parse(text) as Pick<AgentConfig, 'nodeName'>).nodeName;
}
