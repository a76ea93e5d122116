// Expressions of ValidatingAdmissionPolicies and of webhooks are compiled when they are written, so that their author hears
// what is wrong, and not whoever they judge later.

import {
  CelError,
  compileAdmissionCel,
  type MutatingWebhookConfiguration,
  type ValidatingAdmissionPolicy,
  type ValidatingWebhookConfiguration,
} from '../../../api/index.ts';
import { type AdmissionRequest, ApiError } from '../../contracts.ts';
import { policyVariables, requestVariables } from './conditions.ts';

interface Written {
  readonly field: string;
  readonly text: string;
  /** What it must answer. */
  readonly type: 'bool' | 'string' | 'dyn';
}

type Webhooks = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

/** Expressions that cannot run are refused where they are written. Throws ApiError 422. */
export function checkExpressions({ kind, operation, subresource, object = {} }: AdmissionRequest): void {
  if (subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
  const isPolicy = kind.plural === 'validatingadmissionpolicies';
  const isWebhooks = kind.plural.endsWith('webhookconfigurations');
  if (!isPolicy && !isWebhooks) return;
  const { metadata } = object;
  const variables = isPolicy ? policyVariables : requestVariables;
  const expressions = isPolicy ? ofPolicy(object as ValidatingAdmissionPolicy) : ofWebhooks(object as Webhooks);
  const causes = expressions.flatMap(({ field, text, type }) => {
    const why = whyNotCompiled({ text, type }, variables);
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

function ofPolicy({ spec }: ValidatingAdmissionPolicy): readonly Written[] {
  return [
    ...(spec?.validations ?? []).flatMap(({ expression, messageExpression }, index): Written[] => [
      { field: `spec.validations[${index}].expression`, text: expression, type: 'bool' },
      ...(messageExpression === undefined
        ? []
        : [
            { field: `spec.validations[${index}].messageExpression`, text: messageExpression, type: 'string' as const },
          ]),
    ]),
    ...ofConditions('spec', spec?.matchConditions),
    ...(spec?.variables ?? []).map(
      ({ expression }, index): Written => ({
        field: `spec.variables[${index}].expression`,
        text: expression,
        type: 'dyn',
      }),
    ),
  ];
}

function ofWebhooks({ webhooks = [] }: Webhooks): readonly Written[] {
  return webhooks.flatMap(({ matchConditions }, index) => ofConditions(`webhooks[${index}]`, matchConditions));
}

function ofConditions(at: string, conditions: readonly { readonly expression: string }[] = []): readonly Written[] {
  return conditions.map(({ expression }, index) => ({
    field: `${at}.matchConditions[${index}].expression`,
    text: expression,
    type: 'bool',
  }));
}

function whyNotCompiled(
  { text, type }: Pick<Written, 'text' | 'type'>,
  variables: readonly string[],
): string | undefined {
  try {
    const { type: have } = compileAdmissionCel(text, variables);
    if (type === 'dyn' || have === 'dyn' || have === type) return undefined;
    return `must evaluate to ${type}`;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return `compilation failed: ERROR: ${error.message}`;
  }
}
