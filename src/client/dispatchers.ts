// The part of undici that a client of API servers needs. The package's own door loads fetch, WebSocket, caches and mocks
// with it: 4 MB that stay in each process and thread, and some 30 ms of CPU when it starts.

import api from 'undici/lib/api/index.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';

// request() and its like, which the door adds in the same way.
Object.assign(Dispatcher.prototype, api);

export { Agent, Pool };
