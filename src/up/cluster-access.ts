// The API server, spoken to as administrator through the SSH connection to its machine: it need not be reachable from here,
// and no port is opened for it there. A port of 127.0.0.1 leads to it for as long as `up` runs; what passes is TLS with
// client certificates, so others on this machine gain nothing by it.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { kinds } from '../api/index.ts';
import { caCertHash } from '../certs/index.ts';
import { type ApiClient, clientFromKubeconfig } from '../client/index.ts';
import type { SshHost } from '../host/index.ts';
import { parseKubeconfig } from '../kubeconfig/index.ts';
import { type BootstrapToken, formatJoinString, generateToken, tokenSecret } from '../tokens/index.ts';

export interface ClusterAccess {
  readonly client: ApiClient;
  readonly caPem: string;
  /** What machines join with: the endpoint, the CA's hash and a token that is made now, valid for an hour. */
  joinString(signal: AbortSignal): Promise<string>;
  /** Takes back the token, if one was made. */
  close(): Promise<void>;
}

const tokenLife = 60 * 60_000;

/** @param adminConf the administrator's kubeconfig, as it is on `master` */
export async function openCluster(master: SshHost, adminConf: string): Promise<ClusterAccess> {
  const { server, ca } = parseKubeconfig(adminConf);
  const endpoint = new URL(server);
  const caPem = ca !== undefined && 'text' in ca ? ca.text : '';
  const port = Number(endpoint.port || 443);
  const tunnel = await openTunnel(master, endpoint.hostname, port);
  const client = await clientFromKubeconfig(adminConf, {
    server: `https://127.0.0.1:${tunnel.port}`,
    serverName: 'kubernetes', // in every serving certificate, whatever the endpoint is called
  });
  let token: BootstrapToken | undefined;
  let made: Promise<string> | undefined;
  const makeToken = async (signal: AbortSignal): Promise<string> => {
    token = generateToken();
    const secret = tokenSecret(token, { ttl: tokenLife, description: 'k8ts up' });
    await client.create(kinds.secret, secret, { signal });
    const expires = new Date(Date.now() + tokenLife);
    return formatJoinString({ endpoints: [endpoint.host], caCertHashes: [caCertHash(caPem)], token, expires });
  };
  return {
    client,
    caPem,
    joinString(signal) {
      made ??= makeToken(signal);
      return made;
    },
    async close() {
      if (token !== undefined) {
        const at = { namespace: 'kube-system', name: `bootstrap-token-${token.id}` };
        // It expires by itself: not being able to delete it is no failure of `up`.
        await client.delete(kinds.secret, at, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
      }
      await client.close();
      tunnel.close();
    },
  };
}

async function openTunnel(master: SshHost, host: string, port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    master.forward(host, port).then(
      (stream) => {
        stream.on('error', () => socket.destroy());
        stream.on('close', () => socket.destroy());
        socket.on('close', () => stream.destroy());
        socket.pipe(stream).pipe(socket);
      },
      () => socket.destroy(), // the client says that it cannot connect; forward's own error is of no other use here
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close(): void {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
