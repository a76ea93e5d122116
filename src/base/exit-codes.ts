// Exit codes of the k8ts command, as scripts see them. 1 to 3 mean what kubeadm's mean.

export const exitCodes = {
  ok: 0,
  failed: 1,
  preflight: 2,
  invalidInput: 3,
} as const;

export type ExitName = keyof typeof exitCodes;
