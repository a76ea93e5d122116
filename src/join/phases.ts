// The phases of join, in order. What is found out about the cluster is found out before the machine is changed.

import { CodedError } from '../base/index.ts';
import { runPreflight, setUpHost, startAgent, startDeadline, waitForReady } from '../bootstrap/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { agentService, paths } from '../config/index.ts';
import { buildKubeconfig, type KubeconfigOptions } from '../kubeconfig/index.ts';
import { formatToken } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import { checkAgainstCluster, readCluster } from './cluster.ts';
import { type Discovered, type JoinContext, type Login, need } from './context.ts';
import { discover, whyTokenRefused } from './discover.ts';
import { discoverByFile } from './discovery-file.ts';
import { ownAddress } from './own-address.ts';

const preflight: Phase<JoinContext> = {
  name: 'preflight',
  title: 'Checking this machine',
  run: async ({ host, services, nodeName, nodeIp, discovery, criSocket, ignoredChecks, fix, say }, { signal }) => {
    const apiHost = discovery.by === 'token' ? discovery.endpoints[0]?.replace(/:\d+$/, '') : undefined;
    await runPreflight(
      {
        host,
        services,
        role: 'worker',
        nodeName,
        criSocket,
        ports: [10250],
        ignored: ignoredChecks,
        fix,
        say,
        ...(nodeIp === undefined ? {} : { nodeIp }),
        ...(apiHost === undefined ? {} : { apiHost }),
      },
      signal,
    );
  },
};

const discovery: Phase<JoinContext> = {
  name: 'discovery',
  title: 'Finding the cluster',
  run: async (context, progress) => {
    const { found, token, discovery: how } = context;
    if (how.by === 'token') {
      found.discovered = await discover({ discovery: how, login: token ?? how.token, progress });
    } else {
      found.discovered = await discoverByFile(how.file, progress);
      if (token !== undefined && found.discovered.login === undefined) {
        const refusal = await whyTokenRefused(found.discovered, token, progress.signal);
        if (refusal !== undefined) throw refusal;
      }
    }
    await requireSameCluster(context, found.discovered.caPem);
  },
};

/** Reads with the login that the agent will use, so that what it may do is proven before the machine is changed. */
const downloadConfig: Phase<JoinContext> = {
  name: 'download-config',
  title: "Reading the cluster's configuration",
  run: async (context, { signal }) => {
    const discovered = need(context.found, 'discovered', 'discovery');
    context.found.client = await context.connect(discovered, loginFor(context, discovered));
    context.found.cluster = await readCluster(context.found.client, discovered.server, signal);
    context.found.nodeIp = await ownAddress(context, discovered.server);
  },
};

const checkCluster: Phase<JoinContext> = {
  name: 'preflight-cluster',
  title: 'Checking that this machine fits the cluster',
  run: async (context, { signal }) => checkAgainstCluster(context, signal),
};

const hostSetup: Phase<JoinContext> = {
  name: 'host-setup',
  title: 'Installing k8ts, preparing kernel modules and settings',
  run: async ({ host, installProgram }) => {
    await installProgram(host);
    await setUpHost(host);
  },
};

const agent: Phase<JoinContext> = {
  name: 'kubelet-start',
  title: 'Starting the node agent',
  run: async (context) => {
    const { host, services, program, nodeName, criSocket, labels, taints, maxPods, found } = context;
    const discovered = need(found, 'discovered', 'discovery');
    const { server, caPem } = discovered;
    const ip = need(found, 'nodeIp', 'download-config');
    found.agentStarted = Date.now();
    await startAgent({
      host,
      services,
      program,
      cluster: need(found, 'cluster', 'download-config'),
      node: { name: nodeName, ip, criSocket, labels, taints, maxPods },
      caPem,
      bootstrapKubeconfig: buildKubeconfig({
        server,
        user: 'tls-bootstrap-token-user',
        ca: { text: caPem },
        ...credentialsOf(loginFor(context, discovered)),
      }),
    });
  },
};

const waitNode: Phase<JoinContext> = {
  name: 'wait-node',
  title: 'Waiting for the node to be Ready',
  run: async ({ services, nodeName, found, say }, progress) => {
    const client = need(found, 'client', 'download-config');
    await waitForReady({
      ...{ client, services, service: agentService, node: nodeName, progress, deadline: startDeadline },
      since: found.agentStarted,
    });
    say(`\nThis machine is node ${nodeName} of the cluster now. See it on the master: kubectl get nodes\n`);
  },
};

export const joinPhases: readonly Phase<JoinContext>[] = [
  preflight,
  discovery,
  downloadConfig,
  checkCluster,
  hostSetup,
  agent,
  waitNode,
];

/** What a discovery file holds wins over a token, as with kubeadm. @throws CodedError LOGIN_MISSING */
function loginFor({ token }: JoinContext, { login }: Discovered): Login {
  if (login !== undefined) return login;
  if (token !== undefined) return { token: formatToken(token) };
  throw new CodedError('LOGIN_MISSING', 'there is nothing to log in with: the discovery file holds no credentials', {
    exit: 'invalidInput',
    hint: 'add --token with what this prints on the master: k8ts token create',
  });
}

function credentialsOf(login: Login): Pick<KubeconfigOptions, 'token' | 'cert' | 'key'> {
  if ('token' in login) return { token: { text: login.token } };
  return { cert: { text: login.cert }, key: { text: login.key } };
}

/** Refuses to mix two clusters on one machine. @throws CodedError OTHER_CLUSTER */
export async function requireSameCluster({ host }: Pick<JoinContext, 'host'>, caPem: string): Promise<void> {
  const have = (await host.readFileIfExists(paths.caFile))?.toString('utf8');
  if (have === undefined || have.trim() === caPem.trim()) return;
  // While a CA is being replaced there are two, and one of them is known here.
  const hashes = splitCertificates(have).map(caCertHash);
  if (splitCertificates(caPem).some((pem) => hashes.includes(caCertHash(pem)))) return;
  throw new CodedError('OTHER_CLUSTER', `${paths.caFile} is that of another cluster`, {
    exit: 'preflight',
    hint: 'if this machine shall leave that cluster, run: k8ts reset',
  });
}
