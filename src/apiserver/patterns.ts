// Patterns come from whoever may write a definition or a policy, and one like (a+)+$ keeps a backtracking engine busy for
// ever. V8 has a linear engine and goes over to it after 50,000 steps back when this flag is set, for all patterns that RE2,
// which upstream uses, could run as well; the others (look-around, back references) are refused as upstream refuses them.

import { setFlagsFromString } from 'node:v8';

/** For the whole process, and for patterns compiled from now on. */
export function boundPatterns(): void {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}
