export { type Extensions, startExtensions } from './extensions.ts';
