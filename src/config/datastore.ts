// Where the cluster's state is kept, as text: `sqlite:///absolute/path`. etcd is refused by its
// name, so that nobody believes to have several masters.

export interface Datastore {
  readonly kind: 'sqlite';
  readonly path: string;
}

/** Why `value` cannot be used; undefined when it can. */
export function whyNotDatastore(value: string): string | undefined {
  if (/^sqlite:\/\/\/[^?#\s]*[^/?#\s]$/.test(value)) return undefined;
  if (/^(etcd|https?:)/.test(value)) return 'etcd is not supported yet; state is kept in SQLite on one master';
  if (/^(mysql|postgres|postgresql|nats):/.test(value)) return 'only SQLite is supported; write sqlite:///path';
  return 'must be sqlite:///absolute/path/of/the/file';
}

/** @param value one that whyNotDatastore finds nothing wrong with */
export function parseDatastore(value: string): Datastore {
  return { kind: 'sqlite', path: value.slice('sqlite://'.length) };
}
