// What is in our nft table, what should be, and the transaction between the two. Plans are put in by Service; only the
// elements that a changed plan touches are looked at, so the cost of an update does not depend on how many Services there
// are. A front that two Services claim (the same external address and port) belongs to the first; the other gets it when
// the first lets go.
//
//   put(service, plan) … ─► takeChanges() ─► nft ─ok─► …
//                                               └failed─► takeAll(): the whole table anew, in one transaction

import { baseTable, type TableOptions } from './base-table.ts';
import { type Element, type Part, type ServicePlan, table } from './model.ts';

interface Claim {
  readonly owner: string;
  readonly element: Element;
}

export interface Ledger {
  /** Sets what `owner` (namespace/name) contributes; answers owners that hold a front which it wants too. */
  put(owner: string, plan: ServicePlan): readonly string[];
  planOf(owner: string): ServicePlan | undefined;
  /** nft commands from what is in the table to what should be; empty when they are equal. Counts them as carried out. */
  takeChanges(): readonly string[];
  /** nft commands that replace the table whatever is in it. */
  takeAll(): readonly string[];
  /** nft commands that remove chains and sets which nobody uses any more. Never in the transaction that ended their use:
   * the kernel frees a map's reference to a chain only after it. */
  takeUnused(): readonly string[];
  readonly hasUnused: boolean;
}

export function createLedger(options: TableOptions): Ledger {
  const plans = new Map<string, ServicePlan>();
  const claims = new Map<string, readonly Claim[]>();
  /** Elements in the table, by id. */
  let present = new Map<string, Element>();
  /** Parts in the table, by name. */
  let parts = new Map<string, Part>();
  const uses = new Map<string, number>();
  let touchedElements = new Set<string>();
  let wantedParts: Part[] = [];
  const unused = new Set<string>();

  return {
    put,
    planOf: (owner) => plans.get(owner),
    takeChanges,
    takeAll,
    takeUnused,
    get hasUnused() {
      return unused.size > 0;
    },
  };

  function put(owner: string, plan: ServicePlan): readonly string[] {
    const before = plans.get(owner);
    if (before !== undefined) {
      for (const element of before.elements) release(owner, element);
    }
    const rivals = new Set(plan.elements.flatMap((element) => claim(owner, element)));
    // The new plan's parts first, so that what both use is never counted as unused.
    for (const part of flatten(plan.parts)) use(part);
    wantedParts.push(...plan.parts);
    if (before !== undefined) for (const part of flatten(before.parts)) unuse(part);
    if (plan.elements.length === 0 && plan.parts.length === 0) plans.delete(owner);
    else plans.set(owner, plan);
    return [...rivals];
  }

  function claim(owner: string, element: Element): string[] {
    const id = idOf(element);
    const others = claims.get(id) ?? [];
    claims.set(id, [...others, { owner, element }]);
    touchedElements.add(id);
    return others.slice(0, 1).map((other) => other.owner);
  }

  function release(owner: string, element: Element): void {
    const id = idOf(element);
    const others = (claims.get(id) ?? []).filter((other) => other.owner !== owner);
    if (others.length === 0) claims.delete(id);
    else claims.set(id, others);
    touchedElements.add(id);
  }

  function use(part: Part): void {
    if (part.destroy.length === 0) return;
    uses.set(part.name, (uses.get(part.name) ?? 0) + 1);
    unused.delete(part.name);
  }

  function unuse(part: Part): void {
    if (part.destroy.length === 0) return;
    const left = (uses.get(part.name) ?? 0) - 1;
    if (left > 0) {
      uses.set(part.name, left);
    } else {
      uses.delete(part.name);
      unused.add(part.name);
    }
  }

  function takeChanges(): readonly string[] {
    const created = createMissing(wantedParts);
    const removed: Element[] = [];
    const added: Element[] = [];
    for (const id of touchedElements) {
      const want = claims.get(id)?.[0]?.element;
      const have = present.get(id);
      if (want?.value === have?.value && (want === undefined) === (have === undefined)) continue;
      if (have !== undefined) removed.push(have);
      if (want === undefined) present.delete(id);
      else {
        added.push(want);
        present.set(id, want);
      }
    }
    wantedParts = [];
    touchedElements = new Set();
    return [...created, ...elementCommands('delete', removed), ...elementCommands('add', added)];
  }

  function takeAll(): readonly string[] {
    present = new Map(
      [...claims].flatMap(([id, [first]]) => (first === undefined ? [] : [[id, first.element] as const])),
    );
    parts = new Map();
    unused.clear();
    wantedParts = [];
    touchedElements = new Set();
    const created = createMissing([...plans.values()].flatMap((plan) => plan.parts));
    return [...baseTable(options), ...created, ...elementCommands('add', [...present.values()])];
  }

  function createMissing(wanted: readonly Part[]): string[] {
    const commands: string[] = [];
    for (const part of flatten(wanted)) {
      if (parts.has(part.name)) continue;
      // A plan that was replaced before its transaction leaves parts that nobody wants.
      if (part.destroy.length > 0 && !uses.has(part.name)) continue;
      parts.set(part.name, part);
      commands.push(...part.create);
    }
    return commands;
  }

  function takeUnused(): readonly string[] {
    const gone = [...unused].flatMap((name) => parts.get(name) ?? []);
    for (const part of gone) parts.delete(part.name);
    unused.clear();
    const commands = gone.flatMap((part) => part.destroy);
    // Rules first: a chain or set that a rule names cannot go.
    const isFlush = (command: string): boolean => command.startsWith('flush');
    return [...commands.filter(isFlush), ...commands.filter((command) => !isFlush(command))];
  }
}

/** The parts and everything that they need, needs first, each once. */
function flatten(parts: readonly Part[]): Part[] {
  const found = new Map<string, Part>();
  const visit = (part: Part): void => {
    if (found.has(part.name)) return;
    for (const need of part.needs) visit(need);
    found.set(part.name, part);
  };
  for (const part of parts) visit(part);
  return [...found.values()];
}

function idOf(element: Element): string {
  return `${element.set} ${element.key}`;
}

/** One command for each set, as each costs a netlink message of its own. */
function elementCommands(verb: 'add' | 'delete', elements: readonly Element[]): string[] {
  const bySet = Map.groupBy(elements, (element) => element.set);
  return [...bySet].map(([set, entries]) => {
    const text = entries.map(({ key, value }) =>
      value === undefined || verb === 'delete' ? key : `${key} : ${value}`,
    );
    return `${verb} element ${table} ${set} { ${text.join(', ')} }`;
  });
}
