// `k8ts run …`: the long-lived processes. Flags are read with Node's own parser, because oclif would stay in memory; for the
// same reason each process imports its own parts only.

import { parseArgs } from 'node:util';
import { CodedError, createLogger, messageOf } from '../base/index.ts';
import { runSupervisor, watchSupervisor } from '../host/index.ts';

export async function runServerCommand(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { serverConfigPath } = await import('../config/index.ts');
  const { config } = read(argv, { config: { type: 'string', default: serverConfigPath } });
  const { runServer } = await import('../daemons/index.ts');
  keepSupervisor('server', signal);
  await runServer(config, signal);
}

export async function runAgentCommand(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { agentConfigPath } = await import('../config/index.ts');
  const { config } = read(argv, { config: { type: 'string', default: agentConfigPath } });
  const { runAgent } = await import('../daemons/index.ts');
  keepSupervisor('agent', signal);
  await runAgent(config, signal);
}

const controlPlaneFlags = {
  'data-dir': { type: 'string' },
  'bind-address': { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '6443' },
  'write-kubeconfig': { type: 'string' },
  controllers: { type: 'string', default: 'all' },
  'no-scheduler': { type: 'boolean', default: false },
} as const satisfies Options;

export async function runControlPlaneCommand(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const apiServer = await apiServerFlagsIn(argv);
  const flags = read(argv, { ...controlPlaneFlags, ...apiServer.options });
  const { controllers } = flags;
  const { runControlPlane } = await import('../daemons/index.ts');
  await runControlPlane(
    {
      dataDir: flags['data-dir'],
      bindAddress: flags['bind-address'],
      port: portOf(flags.port),
      writeKubeconfig: flags['write-kubeconfig'],
      controllers: controllers === 'all' || controllers === 'none' ? controllers : controllers.split(','),
      scheduler: !flags['no-scheduler'],
      apiServer: apiServer.settingsOf(flags),
    },
    signal,
  );
}

export async function runSupervisorCommand(signal: AbortSignal): Promise<void> {
  await runSupervisor({ log: createLogger({ fields: { process: 'supervisor' } }), signal });
}

/** kube-apiserver's flags. Their table comes with the configuration's schema, which most runs can do without. */
async function apiServerFlagsIn(argv: readonly string[]) {
  const others = argv.filter(
    (one) => one.startsWith('--') && !Object.hasOwn(controlPlaneFlags, one.slice(2).split('=', 1)[0] ?? ''),
  );
  if (others.length === 0) return { options: {}, settingsOf: () => undefined };
  const { apiServerFlags, apiServerSettingsOf } = await import('../config/index.ts');
  const names = apiServerFlags.map(({ flag }) => flag);
  const options: Record<string, { type: 'string'; multiple: true }> = Object.fromEntries(
    names.map((name) => [name, { type: 'string', multiple: true }]),
  );
  return {
    options,
    settingsOf: (flags: Readonly<Record<string, unknown>>) =>
      apiServerSettingsOf(
        Object.fromEntries(names.map((name) => [name, flags[name] as readonly string[] | undefined])),
      ),
  };
}

/** Under a supervisor, starts it again should it crash; without one, nothing. */
function keepSupervisor(name: string, signal: AbortSignal): void {
  const logger = createLogger({ fields: { process: name } });
  const program = [process.execPath, process.argv[1] ?? ''];
  watchSupervisor({ program, logger, signal }).catch((error: unknown) => {
    logger.error('the supervisor is no longer watched', { error: messageOf(error) });
  });
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function read<const T extends Options>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    throw new CodedError('USAGE', messageOf(error), { exit: 'invalidInput', hint: 'k8ts run --help', cause: error });
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new CodedError('USAGE', `--port must be 0 to 65535, not ${text}`, { exit: 'invalidInput' });
}
