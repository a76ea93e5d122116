// What the API server's own requests (to nodes, webhooks, identity providers) need of undici. A module of its own so that
// it is loaded when the first such request is made: in the bundle a dynamic import of the package itself has no names.

export { Agent, fetch } from 'undici';
