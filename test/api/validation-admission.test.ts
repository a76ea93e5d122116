// Validation of what stands between a request and the store: webhooks, admission policies, flow control.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { flowSchemas, priorityLevels } from '../../src/apiserver/bootstrap/flow-objects.ts';
import { dns1035Label, dnsLabel, dnsSubdomain, qualifiedName } from './sentences.ts';
import { type Content, spec, wrong } from './validated.ts';

const webhook = {
  name: 'a.b.c',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://h/p' },
};
const hook = (content: Content): Content => ({ webhooks: [{ ...webhook, ...content }] });
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const policy = (content: Content): Content =>
  spec({ matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...content });
const binding = (content: Content): Content => spec({ policyName: 'p', validationActions: ['Deny'], ...content });
const flow = (content: Content): Content => spec({ priorityLevelConfiguration: { name: 'l' }, ...content });
const level = (queuing: Content): Content =>
  spec({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing } } });

const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [
    kinds.validatingWebhookConfiguration,
    hook({ failurePolicy: '', sideEffects: '', admissionReviewVersions: ['V', 'v1', 'v1'] }),
    'webhooks[0].failurePolicy: Unsupported value: "": supported values: "Fail", "Ignore"',
    'webhooks[0].sideEffects: Unsupported value: "": supported values: "None", "NoneOnDryRun"',
    `webhooks[0].admissionReviewVersions[0]: Invalid value: "V": ${dns1035Label}`,
    'webhooks[0].admissionReviewVersions[2]: Invalid value: "v1": duplicate version',
  ],
  [
    kinds.mutatingWebhookConfiguration,
    hook({ clientConfig: { service: { path: 'a/B' } }, reinvocationPolicy: '' }),
    'webhooks[0].clientConfig.service.name: Required value: service name is required',
    'webhooks[0].clientConfig.service.namespace: Required value: service namespace is required',
    `webhooks[0].clientConfig.service.path: Invalid value: "a/B": must start with a '/'`,
    'webhooks[0].clientConfig.service.path: Invalid value: "a/B": segment[0] may not be empty',
    `webhooks[0].clientConfig.service.path: Invalid value: "a/B": segment[1]: ${dnsSubdomain}`,
    'webhooks[0].reinvocationPolicy: Unsupported value: "": supported values: "IfNeeded", "Never"',
  ],
  [
    kinds.validatingWebhookConfiguration,
    hook({ clientConfig: { url: 'nowhere' } }),
    `webhooks[0].clientConfig.url: Invalid value: "": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    'webhooks[0].clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]',
  ],
  [
    kinds.validatingWebhookConfiguration,
    hook({ rules: [{ ...rule, apiVersions: ['V!'], resources: ['pods/*', 'pods/status', '*', 'nodes'], scope: '' }] }),
    'webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if \'pods/*\' is present, must not specify pods/status',
    `webhooks[0].rules[0].resources: Invalid value: ["pods/*","pods/status","*","nodes"]: if '*' is present, must not specify other resources without subresources`,
    'webhooks[0].rules[0].scope: Unsupported value: "": supported values: "*", "Cluster", "Namespaced"',
  ],
  [kinds.validatingAdmissionPolicy, policy({})],
  [
    kinds.validatingAdmissionPolicy,
    policy({
      paramKind: { apiVersion: 'g/v/x', kind: 'K_' },
      variables: [{ name: 'in', expression: '1' }],
      validations: [{ expression: ' ', message: 'a\nb', messageExpression: ' ' }],
      auditAnnotations: [{ key: '-', valueExpression: '1' }],
    }),
    'spec.paramKind.apiVersion: Invalid value: "g/v/x": unexpected GroupVersion string: g/v/x',
    `spec.paramKind.kind: Invalid value: "K_": may have mixed case, but should otherwise match: ${dns1035Label}`,
    'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
    'spec.validations[0].expression: Required value: expression is not specified',
    'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
    'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
    `spec.auditAnnotations[0].key: Invalid value: "x/-": ${qualifiedName}`,
  ],
  [
    kinds.validatingAdmissionPolicy,
    policy({ matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a', 'b/c'] }] } }),
    'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
    `spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: "b/c": may not contain '/'`,
  ],
  [kinds.validatingAdmissionPolicyBinding, binding({})],
  [
    kinds.validatingAdmissionPolicyBinding,
    binding({ paramRef: { name: 'a', selector: {} }, validationActions: [] }),
    'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.parameterNotFoundAction: Required value',
    'spec.validationActions: Required value: at least one validation action is required',
  ],
  [
    kinds.flowSchema,
    flow({
      rules: [
        {
          subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: '*' }, user: {} }, { kind: 'User' }],
          resourceRules: [{ verbs: ['get'], apiGroups: ['*', 'a'], resources: [], namespaces: ['A'] }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['a', '/*/b'] }],
        },
      ],
    }),
    'spec.rules[0].subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account',
    "spec.rules[0].subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
    "spec.rules[0].subjects[1].user: Required value: user is required when subject kind is 'User'",
    `spec.rules[0].resourceRules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other api groups`,
    'spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource',
    `spec.rules[0].resourceRules[0].namespaces[0]: Invalid value: "A": each member of this list must be '*' or a DNS-1123 label; ${dnsLabel}`,
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/*/b": wildcard can only do suffix matching',
  ],
  [
    kinds.priorityLevelConfiguration,
    level({ handSize: 10, queues: 100 }),
    'spec.limited.limitResponse.queuing.handSize: Invalid value: 10: required entropy bits of deckSize 100 and handSize 10 should not be greater than 60',
  ],
  [
    kinds.priorityLevelConfiguration,
    spec({ type: 'Exempt', exempt: { lendablePercent: 101 } }),
    `spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`,
    'spec.exempt.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
  ],
  ...[...flowSchemas, ...priorityLevels].map((one): readonly [KindSpec, Content] => [
    one.kind === 'FlowSchema' ? kinds.flowSchema : kinds.priorityLevelConfiguration,
    one as unknown as Content,
  ]),
  [
    kinds.flowSchema,
    { metadata: { name: 'exempt' }, ...flow({ matchingPrecedence: 1 }) },
    `spec: Invalid value: {"priorityLevelConfiguration":{"name":"l"},"matchingPrecedence":1}: spec of 'exempt' must equal the fixed value`,
  ],
  [
    kinds.flowSchema,
    { metadata: { name: 'catch-all' }, ...flow({}), status: { conditions: [{ type: 'a' }, {}, { type: 'a' }] } },
    `spec: Invalid value: {"priorityLevelConfiguration":{"name":"l"},"matchingPrecedence":1000}: spec of 'catch-all' must equal the fixed value`,
    'status.conditions[1].type: Required value: must not be empty',
    'status.conditions[2].type: Duplicate value: "a"',
  ],
  [
    kinds.priorityLevelConfiguration,
    { metadata: { name: 'exempt' }, ...spec({ type: 'Exempt', exempt: { nominalConcurrencyShares: 7 } }) },
  ],
  [
    kinds.priorityLevelConfiguration,
    { metadata: { name: 'exempt' }, ...spec({ type: 'Exempt', limited: {} }) },
    'spec.limited: Forbidden: must be nil if the type is not Limited',
    `spec: Invalid value: {"type":"Exempt","limited":{"nominalConcurrencyShares":30,"lendablePercent":0}}: spec of 'exempt' except the 'spec.exempt' field must equal the fixed value`,
  ],
  [
    kinds.priorityLevelConfiguration,
    { metadata: { name: 'catch-all' }, ...spec({ type: 'Limited', limited: { limitResponse: { type: 'Reject' } } }) },
    `spec: Invalid value: {"type":"Limited","limited":{"limitResponse":{"type":"Reject"},"nominalConcurrencyShares":30,"lendablePercent":0}}: spec of 'catch-all' must equal the fixed value`,
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrong(kind, given), want);
  });
}
