// The parameter objects that a ValidatingAdmissionPolicyBinding names: any kind the server knows, one by name or several by
// label. Source: admissionregistration.k8s.io/v1 ParamRef.

import {
  type CustomResourceDefinition,
  compileLabelSelector,
  type KindSpec,
  type KubeObject,
  kindOf,
  kinds,
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
} from '../../../api/index.ts';
import type { AdmissionRequest, ObjectReader } from '../../contracts.ts';

type ParamKind = NonNullable<NonNullable<ValidatingAdmissionPolicy['spec']>['paramKind']>;
type ParamRef = NonNullable<NonNullable<ValidatingAdmissionPolicyBinding['spec']>['paramRef']>;

/** Empty when nothing is found and that is allowed. Throws Error when it is not. */
export function paramsOf(
  reader: ObjectReader,
  request: AdmissionRequest,
  { paramKind, paramRef }: { readonly paramKind: ParamKind; readonly paramRef: ParamRef },
): readonly KubeObject[] {
  const kind = kindNamed(reader, paramKind);
  if (kind === undefined) throw new Error(`failed to find resource referenced by paramKind: '${kindText(paramKind)}'`);
  const namespace = kind.namespaced ? (paramRef.namespace ?? request.namespace) : undefined;
  if (kind.namespaced && namespace === undefined) {
    throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  }
  const found = find(reader, kind, namespace, paramRef);
  if (found.length > 0 || paramRef.parameterNotFoundAction === 'Allow') return found;
  throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
}

function find(
  reader: ObjectReader,
  kind: KindSpec,
  namespace: string | undefined,
  { name = '', selector }: ParamRef,
): readonly KubeObject[] {
  if (name !== '') {
    const one = reader.get<KubeObject>(kind, namespace, name);
    return one === undefined ? [] : [one];
  }
  const matcher = compileLabelSelector(selector);
  return reader.list<KubeObject>(kind, namespace).filter(({ metadata }) => matcher.matches(metadata?.labels));
}

function kindNamed(reader: ObjectReader, { apiVersion = '', kind = '' }: ParamKind): KindSpec | undefined {
  const [first = '', second] = apiVersion.split('/', 2);
  const [group, version] = second === undefined ? ['', first] : [first, second];
  const builtIn = kindOf({ group, version, kind });
  if (builtIn !== undefined) return builtIn;
  const definition = reader
    .list<CustomResourceDefinition>(kinds.customResourceDefinition)
    .find(({ spec }) => spec.group === group && spec.names.kind === kind);
  const served = definition?.spec.versions.some((one) => one.name === version && one.served) === true;
  if (definition === undefined || !served) return undefined;
  const { names, scope } = definition.spec;
  const singular = names.singular ?? kind.toLowerCase();
  return { group, version, kind, plural: names.plural, singular, namespaced: scope === 'Namespaced' };
}

function kindText({ apiVersion = '', kind = '' }: ParamKind): string {
  return `${apiVersion}, Kind=${kind}`;
}
