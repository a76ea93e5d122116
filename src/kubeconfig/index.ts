export {
  buildKubeconfig,
  type ClusterAccess,
  type Credential,
  type KubeconfigOptions,
  parseKubeconfig,
} from './kubeconfig.ts';
