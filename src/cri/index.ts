export * from './cri.ts';
export { isRuntimeDown } from './errors.ts';
export { createFakeCri, type FakeCri } from './fake.ts';
export { createCri } from './grpc.ts';
