import * as Flags from '@oclif/core/flags';
import { codeOf, messageOf } from '../base/index.ts';
import {
  dropOldCa,
  keyAlgorithms,
  type RotationStage,
  type RotationState,
  readRotation,
  renewCertificates,
  rotationStages,
  signWithNewCa,
  trustNewCa,
} from '../certs/index.ts';
import type { ApiClient } from '../client/index.ts';
import { createLocalHost, type Host } from '../host/index.ts';
import { parseDuration } from '../tokens/index.ts';
import { type Followed, publishBundle, waitForNodes } from './ca-rollout.ts';
import { dryRunFlag, hostToChange, placeFlags, placesOf, wouldBeDone } from './certs-flags.ts';
import { openClient } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

const explained: Readonly<Record<RotationStage, string>> = {
  trust: 'the new CA is trusted beside the old one',
  issue: 'the new CA signs; control plane and nodes have certificates of it',
  finish: 'the old CA is trusted no more',
};

const beforeNext: Readonly<Record<RotationStage, string>> = {
  trust: 'Next: k8ts certs rotate-ca (stage issue).',
  issue:
    'Before the last stage: copy admin.conf to whoever uses it, make other users new kubeconfigs, and restart pods that read their CA once, at start (kubectl rollout restart). All of them work until then. Next: k8ts certs rotate-ca (stage finish).',
  finish: 'Done.',
};

export default class CertsRotateCa extends K8tsCommand {
  static override description =
    'Replaces the CA of a running cluster in three stages: trust (the new CA beside the old one), issue (certificates are made anew, by the new CA), finish (the old CA is dropped). Each run does the stage that is next and waits until every node has followed; no service is restarted, and clients that know the old CA alone work until the last stage.';
  static override examples = [
    '$ k8ts certs rotate-ca',
    '$ k8ts certs rotate-ca --all',
    '$ k8ts certs rotate-ca --stage finish --dry-run',
  ];
  static override flags = {
    ...placeFlags,
    kubeconfig: Flags.string({ summary: 'Kubeconfig to use; default: admin.conf in the folder of kubeconfigs' }),
    stage: Flags.option({ options: rotationStages, summary: 'Stage to do (again); default: the next one' })(),
    all: Flags.boolean({ summary: 'Do all stages that are left', exclusive: ['stage'] }),
    'key-algorithm': Flags.option({
      options: keyAlgorithms,
      summary: "Of the new CA's key; default: that of the old one",
    })(),
    timeout: Flags.string({ summary: 'How long nodes may take to follow', default: '2m' }),
    force: Flags.boolean({ summary: 'Go on without the nodes that do not follow' }),
    'dry-run': dryRunFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(CertsRotateCa);
    const { host, transcript } = hostToChange('certs rotate-ca', flags);
    const { certDir } = placesOf(flags);
    const state = await readRotation(createLocalHost(), certDir);
    const stages = flags.all ? stagesLeft(state) : [flags.stage ?? nextStage(state)];
    for (const stage of stages) {
      if (transcript === undefined) await this.#rollOut(stage, host, flags);
      else await changeDisk(stage, host, flags);
    }
    if (transcript === undefined) return;
    const then = 'publish the CAs in kube-public/cluster-info and kube-system/extension-apiserver-authentication';
    this.print(wouldBeDone([...transcript, then, 'wait until every node has followed']));
  }

  async #rollOut(stage: RotationStage, host: Host, flags: StageFlags): Promise<void> {
    const { certDir } = placesOf(flags);
    const kubeconfig = flags.kubeconfig ?? `${flags['kubeconfig-dir']}/admin.conf`;
    // What the stage before was to reach must be so, or nodes would be left behind.
    if (stage !== 'trust') {
      const bundle = await bundleOf(host, certDir);
      await this.#withClient(kubeconfig, (client) =>
        this.#waitFor(stage, client, { bundle, isReissued: stage === 'finish' }, flags),
      );
    }
    // Whoever speaks under the identity of before is still heard while everything is being exchanged.
    await this.#withClient(kubeconfig, async (client) => {
      await changeDisk(stage, host, flags);
      if (stage === 'finish') return;
      await this.#publish(stage, client, host, flags);
    });
    if (stage === 'finish') await this.#withClient(kubeconfig, (client) => this.#publish(stage, client, host, flags));
    this.print(`[${stage}] ${explained[stage]}`);
    this.print(beforeNext[stage]);
  }

  async #publish(stage: RotationStage, client: ApiClient, host: Host, flags: StageFlags): Promise<void> {
    const bundle = await bundleOf(host, flags['cert-dir']);
    await publishBundle(client, bundle, this.signal);
    await this.#waitFor(stage, client, { bundle, isReissued: stage !== 'trust' }, flags);
  }

  async #waitFor(stage: RotationStage, client: ApiClient, want: Followed, flags: StageFlags): Promise<void> {
    const timeout = flags.force ? 0 : parseDuration(flags.timeout);
    const say = (line: string): void => this.print(`[${stage}] ${line}`);
    try {
      await waitForNodes(client, want, { timeout, signal: this.signal, say });
    } catch (error) {
      if (!flags.force || codeOf(error) !== 'ROTATION_NOT_FOLLOWED') throw error;
      say(`warning: ${messageOf(error)}`);
    }
  }

  async #withClient(kubeconfig: string, work: (client: ApiClient) => Promise<void>): Promise<void> {
    const client = await openClient(kubeconfig);
    try {
      await work(client);
    } finally {
      await client.close();
    }
  }
}

interface StageFlags {
  readonly 'cert-dir': string;
  readonly 'kubeconfig-dir': string;
  readonly 'key-algorithm'?: (typeof keyAlgorithms)[number] | undefined;
  readonly kubeconfig?: string | undefined;
  readonly timeout: string;
  readonly force: boolean;
}

async function changeDisk(stage: RotationStage, host: Host, flags: StageFlags): Promise<void> {
  const places = placesOf(flags);
  if (stage === 'trust') return await trustNewCa(host, places, { algorithm: flags['key-algorithm'] });
  if (stage === 'issue') await signWithNewCa(host, places);
  else await dropOldCa(host, places);
  await renewCertificates(host, stage === 'issue' ? 'all' : ['apiserver'], places);
}

async function bundleOf(host: Host, certDir: string): Promise<string> {
  return (await host.readFile(`${certDir}/ca.crt`)).toString('utf8');
}

function nextStage({ stage }: RotationState): RotationStage {
  if (stage === undefined) return 'trust';
  return stage === 'trust' ? 'issue' : 'finish';
}

function stagesLeft(state: RotationState): readonly RotationStage[] {
  return rotationStages.slice(rotationStages.indexOf(nextStage(state)));
}
