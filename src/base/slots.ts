// A bound on how much runs at once: sessions of one SSH connection, machines that `up` works on. Who comes first is served
// first, so that work which others wait for can be put in front.

export interface Slots {
  /** Runs `work` when a slot is free, and gives the slot back when it has ended, well or badly. */
  use<T>(work: () => Promise<T>): Promise<T>;
}

/** @param size at least 1 */
export function createSlots(size: number): Slots {
  const waiting: (() => void)[] = [];
  let free = size;
  return {
    async use(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
