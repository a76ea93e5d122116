// A ValidatingAdmissionPolicy is compiled when it is written, so that its author hears what is wrong, and not whoever the
// policy judges later.

import { CelError, compileAdmissionCel, type ValidatingAdmissionPolicy } from '../../../api/index.ts';
import { type AdmissionRequest, ApiError } from '../../contracts.ts';
import { policyVariables } from './conditions.ts';

/** A policy whose expressions cannot run is refused where it is written. Throws ApiError 422. */
export function checkPolicy({ kind, operation, subresource, object }: AdmissionRequest): void {
  if (kind.plural !== 'validatingadmissionpolicies' || subresource !== '') return;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return;
  const { metadata, spec } = object as ValidatingAdmissionPolicy;
  const expressions = [
    ...(spec?.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
      { field: `spec.validations[${index}].expression`, text: expression, type: 'bool' },
      ...(messageExpression === undefined
        ? []
        : [{ field: `spec.validations[${index}].messageExpression`, text: messageExpression, type: 'string' }]),
    ]),
    ...(spec?.matchConditions ?? []).map(({ expression }, index) => ({
      field: `spec.matchConditions[${index}].expression`,
      text: expression,
      type: 'bool',
    })),
    ...(spec?.variables ?? []).map(({ expression }, index) => ({
      field: `spec.variables[${index}].expression`,
      text: expression,
      type: 'dyn',
    })),
  ];
  const causes = expressions.flatMap(({ field, text, type }) => {
    const why = whyNotCompiled(text, type);
    if (why === undefined) return [];
    const message = `Invalid value: ${JSON.stringify(text)}: ${why}`;
    return [{ reason: 'FieldValueInvalid', message, field }];
  });
  if (causes.length === 0) return;
  const name = metadata?.name ?? '';
  const told = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = told.length === 1 ? (told[0] ?? '') : `[${told.join(', ')}]`;
  throw new ApiError('Invalid', `${kind.kind}.${kind.group} "${name}" is invalid: ${list}`, {
    details: { name, group: kind.group, kind: kind.kind, causes },
  });
}

function whyNotCompiled(text: string, type: string): string | undefined {
  try {
    const { type: have } = compileAdmissionCel(text, policyVariables);
    if (type === 'dyn' || have === 'dyn' || have === type) return undefined;
    return `must evaluate to ${type}`;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return `compilation failed: ERROR: ${error.message}`;
  }
}
