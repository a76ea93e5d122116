import type { Role } from '../facts.ts';

export const everyNode: readonly Role[] = ['control-plane', 'worker'];
export const mebibyte = 1024 ** 2;

export function mib(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}
