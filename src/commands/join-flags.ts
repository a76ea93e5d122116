// The flags of join: kubeadm's, and one word instead of them all. What they and the file come to is a JoinPlan; nothing has
// been asked or changed by then.

import * as Flags from '@oclif/core/flags';
import { CodedError } from '../base/index.ts';
import {
  emptyJoinDocument,
  type Given,
  type JoinDocument,
  joinDocument,
  parseDocument,
  readJoinFile,
  withPort,
} from '../config/index.ts';
import type { Discovery } from '../join/index.ts';
import { type BootstrapToken, formatToken, isJoinString, parseJoinString, parseToken } from '../tokens/index.ts';
import { given, readConfigFile } from './config-file.ts';
import { list, machineFlags, refusedSwitch, refusedText } from './flags.ts';

const oneMaster = 'more than one master is not supported yet';
const pasteHint = 'paste the join command as the master printed it: k8ts token create --print-join-command';

export const joinFlags = {
  ...machineFlags,
  config: Flags.string({ summary: "File with k8ts's or kubeadm's JoinConfiguration; flags win over it" }),
  token: Flags.string({ summary: 'Bootstrap token, to find the cluster and to log in' }),
  'discovery-token': Flags.string({ summary: 'Bootstrap token to find the cluster with, if another one logs in' }),
  'tls-bootstrap-token': Flags.string({ summary: 'Bootstrap token to log in with, if another one finds the cluster' }),
  'discovery-token-ca-cert-hash': list("Hash of the cluster's CA, sha256:…; may be repeated"),
  'discovery-token-unsafe-skip-ca-verification': Flags.boolean({ summary: 'Trust whoever knows the token' }),
  'discovery-file': Flags.string({ summary: 'Kubeconfig file, or https URL of one, that names server and CA' }),
  'node-ip': Flags.string({ summary: 'Address of this node; default: the one it sends from to the API server' }),
  'control-plane': refusedSwitch('control-plane', oneMaster),
  'certificate-key': refusedText('certificate-key', oneMaster),
  'apiserver-advertise-address': refusedText('apiserver-advertise-address', oneMaster),
  'apiserver-bind-port': refusedText('apiserver-bind-port', oneMaster),
  patches: refusedText('patches', 'a node has no pods from files'),
  'feature-gates': refusedText('feature-gates', 'k8ts has no feature gates'),
  rootfs: refusedText('rootfs', 'k8ts works on the machine that it runs on'),
} as const;

interface JoinFlags {
  readonly config?: string | undefined;
  readonly token?: string | undefined;
  readonly 'discovery-token'?: string | undefined;
  readonly 'tls-bootstrap-token'?: string | undefined;
  readonly 'discovery-token-ca-cert-hash'?: readonly string[] | undefined;
  readonly 'discovery-token-unsafe-skip-ca-verification': boolean;
  readonly 'discovery-file'?: string | undefined;
  readonly 'node-ip'?: string | undefined;
  readonly 'cri-socket'?: string | undefined;
  readonly 'node-name'?: string | undefined;
  readonly 'ignore-preflight-errors'?: readonly string[] | undefined;
  readonly 'skip-phases'?: readonly string[] | undefined;
}

export interface JoinPlan {
  readonly document: JoinDocument;
  readonly discovery: Discovery;
  /** undefined: the discovery file has to hold a login. */
  readonly token: BootstrapToken | undefined;
  readonly warnings: readonly string[];
}

/**
 * @param target host:port, an https URL, or a join string
 * @throws CodedError ENDPOINT_INVALID, ENDPOINT_MISSING, TOKEN_MISSING, TOKEN_MALFORMED, TOKEN_EXPIRED, CA_HASH_MISSING,
 * CA_HASH_INVALID, DISCOVERY_AMBIGUOUS; of parseJoinString and readJoinFile
 */
export async function planJoin(target: string | undefined, flags: JoinFlags, now = new Date()): Promise<JoinPlan> {
  const { document: file, warnings }: Given<JoinDocument> =
    flags.config === undefined
      ? { document: emptyJoinDocument, warnings: [] }
      : readJoinFile(await readConfigFile(flags.config), flags.config);
  const string = target !== undefined && isJoinString(target) ? target : file.discovery?.joinString;
  const endpoint = target === undefined || isJoinString(target) ? undefined : endpointOf(target);
  const fromString = string === undefined ? {} : fieldsOf(string, now);
  const token = checkedToken(flags['discovery-token'] ?? flags.token);
  const login = checkedToken(flags['tls-bootstrap-token'] ?? flags.token);
  const asked = {
    ...file.discovery,
    ...fromString,
    ...given({
      endpoints: endpoint === undefined ? undefined : [endpoint],
      token,
      tlsBootstrapToken: login,
      caCertHashes: checkedHashes(flags['discovery-token-ca-cert-hash']),
      file: flags['discovery-file'],
    }),
    ...(flags['discovery-token-unsafe-skip-ca-verification'] ? { unsafeSkipCaVerification: true } : {}),
  };
  const document = parseDocument(
    joinDocument,
    {
      ...file,
      discovery: asked,
      node: {
        ...file.node,
        ...given({ name: flags['node-name'], ip: flags['node-ip'], criSocket: flags['cri-socket'] }),
      },
      ...given({ skipPhases: flags['skip-phases'], ignorePreflightErrors: flags['ignore-preflight-errors'] }),
    },
    'what join was told',
  );
  const loginToken = asked.tlsBootstrapToken ?? asked.token;
  return {
    document,
    discovery: discoveryOf(document),
    token: loginToken === undefined ? undefined : parseToken(loginToken),
    warnings,
  };
}

function discoveryOf({ discovery = {} }: JoinDocument): Discovery {
  const { file, endpoints, token, caCertHashes = [], unsafeSkipCaVerification = false } = discovery;
  if (file !== undefined) {
    if (endpoints === undefined && caCertHashes.length === 0) return { by: 'file', file };
    throw new CodedError(
      'DISCOVERY_AMBIGUOUS',
      'a discovery file names the server and the CA; an endpoint or a CA hash besides would contradict it',
      {
        exit: 'invalidInput',
        hint: 'leave out either --discovery-file, or the endpoint and --discovery-token-ca-cert-hash',
      },
    );
  }
  if (endpoints === undefined) throw missing('ENDPOINT_MISSING', 'the address of the API server is missing');
  if (token === undefined) throw missing('TOKEN_MISSING', '--token is missing');
  if (caCertHashes.length === 0 && !unsafeSkipCaVerification)
    throw missing('CA_HASH_MISSING', '--discovery-token-ca-cert-hash is missing');
  return {
    by: 'token',
    endpoints: endpoints.map((one) => withPort(one, 6443)),
    token: parseToken(token),
    caCertHashes,
    skipCaVerification: unsafeSkipCaVerification,
  };
}

function missing(code: string, what: string): CodedError {
  return new CodedError(code, what, { exit: 'invalidInput', hint: pasteHint });
}

function fieldsOf(text: string, now: Date): NonNullable<JoinDocument['discovery']> {
  const { endpoints, token, caCertHashes, expires } = parseJoinString(text);
  if (expires !== undefined && expires <= now) {
    const times = `at ${expires.toISOString()}; this machine's clock says ${now.toISOString()}`;
    throw new CodedError('TOKEN_EXPIRED', `the token "${token.id}" in this join string expired ${times}`, {
      hint: 'on the master run: k8ts token create --print-join-string; if this clock is wrong: timedatectl set-ntp true',
    });
  }
  return {
    endpoints: [...endpoints],
    token: formatToken(token),
    caCertHashes: [...caCertHashes],
    joinString: undefined,
  };
}

/** kubeadm takes host:port; a URL is what people paste from a kubeconfig. */
function endpointOf(text: string): string {
  const bare = text.replace(/^https:\/\//, '').replace(/\/$/, '');
  if (/^[A-Za-z0-9][-.A-Za-z0-9]*(:\d{1,5})?$/.test(bare)) return bare;
  throw new CodedError('ENDPOINT_INVALID', `"${text}" is neither host:port nor a join string`, {
    exit: 'invalidInput',
    hint: pasteHint,
  });
}

function checkedToken(text: string | undefined): string | undefined {
  return text === undefined ? undefined : formatToken(parseToken(text));
}

function checkedHashes(hashes: readonly string[] | undefined): string[] | undefined {
  const bad = hashes?.find((hash) => !/^sha256:[0-9a-f]{64}$/.test(hash));
  if (bad === undefined) return hashes === undefined ? undefined : [...hashes];
  throw new CodedError('CA_HASH_INVALID', `"${bad}" is not sha256: and 64 hexadecimal digits`, {
    exit: 'invalidInput',
    hint: pasteHint,
  });
}
