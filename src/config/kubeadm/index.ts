export { kubeletRules, proxyRules } from './component-rules.ts';
export { clusterRules, initRules, joinRules, whyNotServed } from './kubeadm-rules.ts';
export { isRecord, type Note, type Rule, type Source, translate } from './translate.ts';
