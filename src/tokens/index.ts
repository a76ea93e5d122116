export {
  clusterInfoConfigMap,
  clusterInfoKubeconfig,
  clusterInfoName,
  clusterInfoNamespace,
  signClusterInfo,
  signedData,
  verifyClusterInfo,
} from './cluster-info.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { formatJoinString, isJoinString, type JoinString, parseJoinString } from './join-string.ts';
export { type BootstrapToken, equalSecrets, formatToken, generateToken, parseToken } from './token.ts';
export {
  bootstrappersGroup,
  nodeBootstrappersGroup,
  readTokenSecret,
  signingTokens,
  type TokenRecord,
  type TokenSecretOptions,
  type TokenUsage,
  tokenNamespace,
  tokenSecret,
  tokenSecretName,
  tokenSecretType,
  whyTokenUnusable,
} from './token-secret.ts';
