// What init and init phase do alike: configuration → context → phases.

import { type ApiClient, clientFromKubeconfig } from '../client/index.ts';
import { type ClusterDocument, kubernetesDir, resolveInitConfig } from '../config/index.ts';
import { createLocalHost, lockMachine } from '../host/index.ts';
import { type InitContext, type InitToken, initPhases, resolveSkips } from '../init/index.ts';
import { generateToken, parseDuration, parseToken } from '../tokens/index.ts';
import { createReporter, runPhases } from '../workflow/index.ts';
import { createDryRun } from './dry-run.ts';
import { type InitFlags, initDocument } from './init-flags.ts';
import { openMachine, programToInstall, requireRoot } from './machine.ts';

interface InitRun {
  /** The only phases to run; absent: all. */
  readonly only?: readonly string[];
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
}

/** @returns the tokens that machines may join with */
export async function runInit(flags: InitFlags, { only, signal, print }: InitRun): Promise<readonly InitToken[]> {
  const reporter = createReporter();
  const say = (line: string): void => reporter.say(line);
  const local = createLocalHost();
  const { document: asked, warnings } = await initDocument(flags, local);
  const skips = resolveSkips(asked.skipPhases ?? []);
  const document: ClusterDocument = { ...asked, networking: { ...asked.networking, ...skips.networking } };
  const config = await resolveInitConfig(local, document, 'the configuration');
  const tokens = tokensOf(document);
  for (const line of [...warnings, ...skips.notes]) say(`warning: ${line}`);
  const dry = flags['dry-run'] ? createDryRun(local, config.node.name) : undefined;
  if (dry === undefined) requireRoot('init');
  const unlock = dry === undefined ? await lockMachine('init') : undefined;
  const machine =
    dry === undefined
      ? await openMachine({ manager: flags['service-manager'], verbosity: flags.v, installs: true })
      : { ...dry, ...(await programToInstall()) };
  let client: ApiClient | undefined = dry?.client;
  const context: InitContext = {
    ...machine,
    config,
    document,
    tokens,
    showToken: !flags['skip-token-print'],
    ignoredChecks: document.ignorePreflightErrors ?? [],
    fix: flags.fix,
    say,
    client: async () => {
      const path = `${kubernetesDir}/super-admin.conf`;
      client ??= await clientFromKubeconfig((await machine.host.readFile(path)).toString('utf8'), { retries: 0 });
      return client;
    },
  };
  // A dry run has no join command to show.
  const skip = [...skips.phases, ...(dry === undefined ? [] : ['show-join-command'])];
  try {
    await runPhases(initPhases, context, { reporter, signal, skip, ...(only === undefined ? {} : { only }) });
  } finally {
    await client?.close();
    await unlock?.();
  }
  if (dry !== undefined) print(['This would be done:', ...dry.transcript().map((step) => `  ${step}`)].join('\n'));
  return tokens;
}

function tokensOf({ bootstrapTokens = [{}] }: ClusterDocument): readonly InitToken[] {
  return bootstrapTokens.map(({ token, ttl = '24h0m0s', description = 'made by k8ts init', usages, groups }) => ({
    token: token === undefined ? generateToken() : parseToken(token),
    ttl: parseDuration(ttl),
    description,
    ...(usages === undefined ? {} : { usages }),
    ...(groups === undefined ? {} : { groups }),
  }));
}
