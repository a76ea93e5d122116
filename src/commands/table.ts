// Every command there is. Discovery by scanning a folder was refused: it does not work in a bundle, and costs a stat per
// file at each start.

import type { CommandEntry } from './entry.ts';

export const commandTable: readonly CommandEntry[] = [
  { name: 'init', summary: 'Make this machine the master of a new cluster', load: () => import('./init.ts') },
  { name: 'init phase', summary: 'Run one phase of init, or list them', load: () => import('./init-phase.ts') },
  { name: 'join', summary: 'Add this machine to a cluster', load: () => import('./join.ts') },
  {
    name: 'config print',
    summary: 'Print a configuration file, with the meaning of every field',
    load: () => import('./config-print.ts'),
  },
  {
    name: 'config validate',
    summary: 'Check a configuration file',
    load: () => import('./config-validate.ts'),
  },
  {
    name: 'config migrate',
    summary: "Turn kubeadm's configuration into k8ts's",
    load: () => import('./config-migrate.ts'),
  },
  {
    name: 'completion',
    summary: 'Print a script that completes k8ts commands in a shell',
    load: () => import('./completion.ts'),
  },
  {
    name: 'doctor',
    summary: 'Find out what is wrong with this machine and its cluster, with remedies',
    load: () => import('./doctor.ts'),
  },
  { name: 'up', summary: 'Make the machines in a file a cluster, over SSH', load: () => import('./up.ts') },
  { name: 'reset', summary: 'Take back what init or join did to this machine', load: () => import('./reset.ts') },
  {
    name: 'status',
    summary: 'Show the services and nodes, and why any is not ready',
    load: () => import('./status.ts'),
  },
  {
    name: 'certs add-san',
    summary: "Add names to the API server's certificate",
    load: () => import('./certs-add-san.ts'),
  },
  {
    name: 'certs certificate-key',
    summary: 'Print a random key for uploaded certificates',
    load: () => import('./certs-certificate-key.ts'),
  },
  {
    name: 'certs check-expiration',
    summary: 'List certificates and when they expire',
    load: () => import('./certs-check-expiration.ts'),
  },
  {
    name: 'certs generate-csr',
    summary: 'Make keys and signing requests for an external CA',
    load: () => import('./certs-generate-csr.ts'),
  },
  { name: 'certs renew', summary: 'Renew certificates now', load: () => import('./certs-renew.ts') },
  {
    name: 'certs rotate-ca',
    summary: 'Replace the CA of a running cluster, in stages',
    load: () => import('./certs-rotate-ca.ts'),
  },
  {
    name: 'kubeconfig user',
    summary: 'Print a kubeconfig for a further user',
    load: () => import('./kubeconfig-user.ts'),
  },
  { name: 'token create', summary: 'Make a bootstrap token', load: () => import('./token-create.ts') },
  { name: 'token delete', summary: 'Delete bootstrap tokens', load: () => import('./token-delete.ts') },
  {
    name: 'token generate',
    summary: 'Print a random token without storing it',
    load: () => import('./token-generate.ts'),
  },
  { name: 'token list', summary: 'List bootstrap tokens', load: () => import('./token-list.ts') },
  {
    name: 'image build',
    summary: 'Make an image from a folder or archive of files',
    load: () => import('./image-build.ts'),
  },
  {
    name: 'image export',
    summary: 'Write images of the container runtime into an archive',
    load: () => import('./image-export.ts'),
  },
  {
    name: 'image import',
    summary: 'Load image archives into the container runtime',
    load: () => import('./image-import.ts'),
  },
  {
    name: 'image list',
    summary: 'List the images that the container runtime has',
    load: () => import('./image-list.ts'),
  },
  {
    name: 'run server',
    summary: 'Run the control plane (started by init)',
    help: 'k8ts run server [--config /etc/k8ts/server.json]',
    run: async (argv, signal) => (await import('./run.ts')).runServerCommand(argv, signal),
  },
  {
    name: 'run agent',
    summary: 'Run the node agent (started by init and join)',
    help: 'k8ts run agent [--config /etc/k8ts/agent.json]',
    run: async (argv, signal) => (await import('./run.ts')).runAgentCommand(argv, signal),
  },
  {
    name: 'run control-plane',
    summary: 'Run an API server without nodes, for tests and tools',
    help:
      'k8ts run control-plane [--data-dir DIR] [--bind-address 127.0.0.1] [--port 6443] [--write-kubeconfig FILE]\n' +
      '                       [--controllers all|none|a,b] [--no-scheduler]\n' +
      "       and kube-apiserver's --token-auth-file, --oidc-*, --requestheader-*, --audit-*, --anonymous-auth,\n" +
      '       --enable-admission-plugins, --disable-admission-plugins, --max-requests-inflight,\n' +
      '       --max-mutating-requests-inflight, --request-timeout, --event-ttl, --service-account-issuer,\n' +
      '       --service-account-key-file, --api-audiences, --service-node-port-range',
    run: async (argv, signal) => (await import('./run.ts')).runControlPlaneCommand(argv, signal),
  },
  {
    name: 'run supervisor',
    summary: 'Keep services running where there is no systemd (started by init and join)',
    help: 'k8ts run supervisor',
    run: async (_argv, signal) => (await import('./run.ts')).runSupervisorCommand(signal),
  },
];
