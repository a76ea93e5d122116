export { kubeletRules, proxyRules } from './component-rules.ts';
export { clusterRules, initRules, joinRules, whyNotServed } from './kubeadm-rules.ts';
export { isRecord, type Note, type Rule, translate } from './translate.ts';
