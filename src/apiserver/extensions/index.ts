export { startExtensions } from './extensions.ts';
