export {
  buildKubeconfig,
  type ClusterAccess,
  type Credential,
  type KubeconfigOptions,
  parseKubeconfig,
  replaceInKubeconfig,
} from './kubeconfig.ts';
