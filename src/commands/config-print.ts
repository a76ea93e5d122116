import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { CodedError } from '../base/index.ts';
import {
  clusterDefaults,
  clusterDocument,
  emptyClusterDocument,
  emptyJoinDocument,
  joinDocument,
  printDocument,
} from '../config/index.ts';
import { K8tsCommand } from './oclif.ts';

/** With values to be replaced, as there is nothing that would fit every cluster. */
const joinExample = {
  ...emptyJoinDocument,
  discovery: {
    endpoints: ['192.0.2.10:6443'],
    token: 'abcdef.0123456789abcdef',
    caCertHashes: [`sha256:${'0'.repeat(64)}`],
  },
};

const documents = {
  init: { schema: clusterDocument, document: { ...emptyClusterDocument, ...clusterDefaults } },
  join: { schema: joinDocument, document: joinExample },
} as const;

export default class ConfigPrint extends K8tsCommand {
  static override description =
    'Prints a configuration file with the defaults that init uses, or an example for join. With --doc every field is in it with its meaning, those that are not set as comments.';
  static override examples = [
    '$ k8ts config print',
    '$ k8ts config print init --doc > cluster.yaml',
    '$ k8ts config print join --doc',
  ];
  static override args = {
    document: Args.string({ description: 'init (or init-defaults), join (or join-defaults)', default: 'init' }),
  };
  static override flags = { doc: Flags.boolean({ summary: 'With the meaning of every field' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigPrint);
    const name = args.document.replace(/-defaults$/, '');
    if (name !== 'init' && name !== 'join') {
      throw new CodedError('USAGE', `there is no configuration ${args.document}`, {
        exit: 'invalidInput',
        hint: 'k8ts config print init, or k8ts config print join',
      });
    }
    const { schema, document } = documents[name];
    this.print(printDocument(schema, document, { withDocs: flags.doc }).trimEnd());
  }
}
