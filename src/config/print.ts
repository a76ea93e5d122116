// A document as YAML, with the words of its schema above each field and the fields that are not set as comments: what
// `k8ts config print` shows. Taking away the # before a field sets it.

import { dump } from 'js-yaml';
import * as z from 'zod';

/** The part of JSON Schema that zod makes of our documents. */
interface Shape {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

/** @param withDocs false: only what `document` sets */
export function printDocument(
  schema: z.ZodType,
  document: object,
  { withDocs }: { readonly withDocs: boolean },
): string {
  if (!withDocs) return dump(document, { lineWidth: -1 });
  return `${fieldLines(shapeOf(schema), document).join('\n')}\n`;
}

function shapeOf(schema: z.ZodType): Shape {
  return z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as Shape;
}

function fieldLines({ properties = {} }: Shape, given: object): string[] {
  const values = new Map<string, unknown>(Object.entries(given));
  return Object.entries(properties).flatMap(([name, shape]) => {
    const value = values.get(name);
    const lines = [`# ${shape.description ?? ''}`.trimEnd(), ...settingLines(name, shape, value)];
    return value === undefined ? lines.map((line, at) => (at === 0 ? line : `#${line}`)) : lines;
  });
}

function settingLines(name: string, shape: Shape, value: unknown): string[] {
  const { properties, items } = shape;
  if (properties !== undefined) {
    const inner = fieldLines(shape, typeof value === 'object' && value !== null ? value : {});
    return [`${name}:`, ...indent(inner)];
  }
  if (value !== undefined)
    return dump({ [name]: value }, { lineWidth: -1 })
      .trimEnd()
      .split('\n');
  if (items?.properties === undefined) return [`${name}: ${example(shape)}`];
  const [first = '', ...rest] = Object.entries(items.properties).flatMap(([field, one]) => [
    `# ${one.description ?? ''}`.trimEnd(),
    `${field}: ${example(one)}`,
  ]);
  return [`${name}:`, ...indent([`- ${first}`, ...indent(rest)])];
}

/** What kind of value goes there. */
function example({ type, enum: choices, items }: Shape): string {
  if (choices !== undefined) return choices.join('|');
  if (type === 'array') return `[${example(items ?? {})}, …]`;
  if (type === 'object') return '{name: <text>, …}';
  if (type === 'boolean') return 'true|false';
  return type === 'integer' || type === 'number' ? '<number>' : '<text>';
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
