// An Ingress without a class gets the default one. Source: Kubernetes documentation, "Ingress", default IngressClass.

import { type Ingress, type IngressClass, kinds } from '../../api/index.ts';
import type { AdmissionPlugin, ObjectReader } from '../contracts.ts';
import { newestDefault } from './newest-default.ts';

const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

export function defaultIngressClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate({ kind, operation, subresource, object = {} }) {
      const ingress: Ingress = object;
      const isNew = operation === 'CREATE' && subresource === '' && kind.plural === 'ingresses';
      if (!isNew || kind.group !== 'networking.k8s.io' || ingress.spec?.ingressClassName !== undefined) return object;
      if (ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] !== undefined) return object;
      const found = newestDefault(reader.list<IngressClass>(kinds.ingressClass), [defaultAnnotation]);
      const ingressClassName = found?.metadata?.name;
      return ingressClassName === undefined ? ingress : { ...ingress, spec: { ...ingress.spec, ingressClassName } };
    },
  };
}
