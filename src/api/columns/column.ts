// Words that the column tables share. Names, types, order and cell rules of the tables are upstream's
// (kubernetes pkg/printers/internalversion), so that `kubectl get` prints what people are used to.

import { ageOf } from '../duration.ts';
import type { Cell, Column } from '../kind.ts';
import type { KubeObject } from '../types.ts';

type Value<T extends KubeObject> = (object: T, now: number) => Cell;

/** A column that is always shown. */
export function text<T extends KubeObject>(name: string, description: string, value: Value<T>): Column<T> {
  return { name, type: 'string', description, value };
}

/** A column that `-o wide` adds. */
export function wide<T extends KubeObject>(name: string, description: string, value: Value<T>): Column<T> {
  return { name, type: 'string', description, priority: 1, value };
}

export function count<T extends KubeObject>(name: string, description: string, value: Value<T>): Column<T> {
  return { name, type: 'integer', description, value };
}

export const age: Column = text('Age', 'Time since the object was created.', (object, now) =>
  ageOf(object.metadata?.creationTimestamp, now),
);

export const createdAt: Column = {
  name: 'Created At',
  type: 'date',
  description: 'When the object was created.',
  value: (object) => object.metadata?.creationTimestamp ?? '',
};

export function orNone(value: string | undefined): string {
  return value === undefined || value === '' ? '<none>' : value;
}

export function joined(values: readonly string[] | undefined): string {
  return orNone((values ?? []).join(','));
}

/** `app=web,tier=front`, keys sorted; `<none>` for none. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  return joined(
    Object.entries(labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
  );
}

interface ContainerLike {
  readonly name: string;
  readonly image?: string;
}

export function containerNames(containers: readonly ContainerLike[] | undefined): string {
  return (containers ?? []).map(({ name }) => name).join(',');
}

export function containerImages(containers: readonly ContainerLike[] | undefined): string {
  return (containers ?? []).map(({ image }) => image ?? '').join(',');
}
