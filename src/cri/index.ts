export * from './cri.ts';
