// Carries a document of kubeadm's, the kubelet's or kube-proxy's over into one of ours by a table with a row per field. A
// field is carried over, means what k8ts does anyway, is harmless without effect (a warning), or would change what the
// cluster is (an error); one that no row names is an error as well, because nobody can say what it would have done. Never is
// a field dropped in silence. Reading only the fields that we know was refused for that reason.

export interface Note {
  readonly severity: 'warning' | 'error';
  /** Of the field in the file: ClusterConfiguration: apiServer.extraEnvs */
  readonly path: string;
  readonly why: string;
}

export type Rule = {
  /** Dotted. It stands for everything below it, unless a longer one matches. */
  readonly path: string;
  /** True: an empty list or object says something and is not the same as leaving the field out. */
  readonly emptyCounts?: boolean;
} & (
  | { readonly to: string; readonly as?: (value: unknown) => unknown }
  /** These values say what k8ts does anyway; any other is an error. */
  | { readonly same: readonly unknown[]; readonly otherwise: string }
  | { readonly ignored: string }
  | { readonly refused: string }
  | { readonly with: (value: unknown, into: Target) => void }
);

/** The document that is being put together. */
export interface Target {
  /** @param path dotted, in our document */
  set(path: string, value: unknown): void;
  /** Adds to a list; several may. */
  add(path: string, item: unknown): void;
  warn(why: string, below?: string): void;
  refuse(why: string, below?: string): void;
}

interface Source {
  /** Kind, which goes before each path in a note. */
  readonly kind: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly rules: readonly Rule[];
}

/** @returns the document without its apiVersion and kind, unchecked, and what there is to say about it */
export function translate(sources: readonly Source[]): {
  readonly document: Readonly<Record<string, unknown>>;
  readonly notes: readonly Note[];
} {
  const document: Record<string, unknown> = {};
  const notes: Note[] = [];
  const setBy = new Map<string, { readonly from: string; readonly value: string }>();
  for (const { kind, content, rules } of sources) {
    const targetAt = (path: string): Target => {
      const note = (severity: Note['severity'], why: string, below = ''): void =>
        void notes.push({ severity, path: `${kind}: ${path}${below}`, why });
      return {
        set(to, value) {
          const earlier = setBy.get(to);
          const text = JSON.stringify(value);
          if (earlier !== undefined && earlier.value !== text) {
            note('error', `says ${text}, but ${earlier.from} has said ${earlier.value}; k8ts has one setting`);
            return;
          }
          setBy.set(to, { from: `${kind}: ${path}`, value: text });
          setDeep(document, to.split('.'), value);
        },
        add(to, item) {
          const have = getDeep(document, to.split('.'));
          setDeep(document, to.split('.'), [...(Array.isArray(have) ? have : []), item]);
        },
        warn: (why, below) => note('warning', why, below),
        refuse: (why, below) => note('error', why, below),
      };
    };
    const walk = (value: unknown, path: string): void => {
      const rule = rules.find((one) => one.path === path);
      if (rule !== undefined) {
        if (rule.emptyCounts === true ? value !== null : !isEmpty(value)) apply(rule, value, targetAt(path));
        return;
      }
      const leadsOn = path === '' || rules.some((one) => one.path.startsWith(`${path}.`));
      if (leadsOn && isRecord(value)) {
        for (const [name, child] of Object.entries(value)) walk(child, path === '' ? name : `${path}.${name}`);
      } else if (!isEmpty(value)) {
        targetAt(path).refuse(leadsOn ? 'must hold fields of its own' : 'k8ts does not know this field');
      }
    };
    const { apiVersion: _apiVersion, kind: _kind, ...fields } = content;
    walk(fields, '');
  }
  return { document, notes };
}

function apply(rule: Rule, value: unknown, target: Target): void {
  if ('to' in rule) target.set(rule.to, rule.as === undefined ? value : rule.as(value));
  else if ('same' in rule) {
    if (!rule.same.includes(value)) target.refuse(`is ${JSON.stringify(value)}; ${rule.otherwise}`);
  } else if ('ignored' in rule) target.warn(rule.ignored);
  else if ('refused' in rule) target.refuse(rule.refused);
  else rule.with(value, target);
}

/** What the tools that print defaults write for "not set": nulls, empty texts and zero durations, at any depth. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === '0' || value === '0s')
    return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.values(value).every((child) => child === false || isEmpty(child));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function setDeep(at: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    at[name] = value;
    return;
  }
  const have = at[name];
  const next: Record<string, unknown> = isRecord(have) ? { ...have } : {};
  at[name] = next;
  setDeep(next, rest, value);
}

function getDeep(at: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), at);
}
