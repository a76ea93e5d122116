// systeminformation's part about memory by itself: the package's own door loads those about everything else with it.

declare module 'systeminformation/lib/memory.js' {
  import type { Systeminformation } from 'systeminformation';

  const memory: { mem(): Promise<Systeminformation.MemData> };
  export = memory;
}
