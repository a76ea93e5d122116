// Every field that has a list of values: what is not in it is refused with upstream's sentence, what is in it is not. The
// entries are those of the server's own table, so that a new one without a case fails.

import t from 'tap';
import { applyDefaults, type FieldError, invalidStatus, type KubeObject, validateCreate } from '../../src/api/index.ts';
import { valuesOf } from '../../src/api/schema/values.ts';
import type { Case } from './enum-case.ts';
import { coreCases } from './enum-cases-core.ts';
import { groupCases, unchecked } from './enum-cases-groups.ts';
import { ensureSchemas, readSchemas } from './schemas.ts';

ensureSchemas();

const wrong = 'no-such-value';
const cases = { ...coreCases, ...groupCases };
const entries = Object.entries(readSchemas().values).flatMap(([type, fields]) =>
  Object.entries(fields).map(([field, known]) => ({ entry: [...type.split('.').slice(-3), field].join('.'), known })),
);

t.test('each entry of the table has a case, and each case an entry', async (t) => {
  const known = entries.map(({ entry }) => entry);
  t.strictSame(known.sort(), [...Object.keys(cases), ...Object.keys(unchecked)].sort());
});

for (const { entry, known } of entries) {
  const one = cases[entry];
  if (one === undefined) continue;
  t.test(entry, async (t) => {
    const found = errorsAt(one, wrong);
    t.equal(found.length, 1);
    const list = known.map((value) => JSON.stringify(value)).join(', ');
    const [{ message = '', reason } = {}] = invalidStatus(one.kind, 'x', found).details.causes ?? [];
    if (one.invalid === undefined) {
      const shown = JSON.stringify(one.showsList === true ? [wrong] : (one.shows?.(wrong) ?? wrong));
      t.equal(message, `Unsupported value: ${shown}: supported values: ${list}`);
      t.equal(reason, 'FieldValueNotSupported');
    } else {
      t.match(message, /^Invalid value: /);
      t.ok(message.endsWith(`: ${one.invalid}`), message);
      t.equal(reason, 'FieldValueInvalid');
    }
    for (const value of known) t.strictSame(errorsAt(one, value), [], JSON.stringify(value));
  });
}

t.test('a list that is not there is a bug, told by name', async (t) => {
  t.throws(valuesOf('io.k8s.api.core.v1.PodSpec', 'nodeName'), {
    message: 'no list of values for io.k8s.api.core.v1.PodSpec.nodeName',
  });
});

function errorsAt({ kind, with: content, at }: Case, value: string): FieldError[] {
  const { metadata, ...rest } = content(value);
  const own = { name: 'x', ...(kind.namespaced ? { namespace: 'default' } : {}), ...(metadata as object | undefined) };
  const object = structuredClone({ ...rest, metadata: own }) as KubeObject;
  applyDefaults(kind, object);
  return validateCreate(kind, object).filter(({ field }) => field === at);
}
