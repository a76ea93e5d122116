// What a comparison starts from: one valid object of a kind, and where it is created.

export type Json = Readonly<Record<string, unknown>>;

export interface Sample {
  /** The collection, as k8ts serves it. */
  readonly path: string;
  /** Where the peer's release knows the kind by another version. */
  readonly peer?: { readonly path: string; readonly apiVersion: string };
  readonly object: Json & { readonly kind: string; readonly metadata: Json & { readonly name: string } };
}
