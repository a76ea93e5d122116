// Turns what zod says about a document into one error that a person can act on: every problem with its path, what was
// found and what is allowed.

import type * as z from 'zod';
import { CodedError } from '../base/index.ts';

/** @throws CodedError CONFIG_INVALID naming `source` (a path, or "the flags") and each problem on a line of its own. */
export function parseDocument<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  source: string,
): z.infer<Schema> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${describe(issue)}`);
  throw new CodedError('CONFIG_INVALID', `${source} cannot be used:\n${problems.join('\n')}`, {
    exit: 'invalidInput',
    hint: 'mend the fields named above',
  });
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  if (issue.code === 'unrecognized_keys') return `${path}unknown field ${issue.keys.join(', ')}`;
  const found =
    issue.input === undefined || typeof issue.input === 'object' || isSecret(issue.path.at(-1))
      ? ''
      : ` (is ${JSON.stringify(issue.input)})`;
  if (issue.code === 'invalid_value') return `${path}must be one of ${issue.values.map(String).join(', ')}${found}`;
  if (issue.code === 'invalid_type' && issue.input === undefined)
    return `${path}is missing; a ${issue.expected} is needed`;
  return `${path}${issue.message}${found}`;
}

/** A token that was typed wrong is still most of a token. */
function isSecret(field: PropertyKey | undefined): boolean {
  return /token|string$/i.test(String(field));
}
