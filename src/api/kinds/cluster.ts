// What the cluster's own parts keep: leases, slices, certificates, RBAC, events of the newer API.

import { endpointSliceColumns } from '../columns/network.ts';
import { certificateSigningRequestColumns, leaseColumns, roleBindingColumns, roleColumns } from '../columns/rbac.ts';
import { eventsEventColumns } from '../columns/records.ts';
import { defaultRoleBinding } from '../defaults/core.ts';
import { defaultEndpointSlice } from '../defaults/service.ts';
import { certificateSigningRequestFields, eventsEventFields } from '../fields/core.ts';
import type * as t from '../types.ts';
import {
  validateCertificateSigningRequest,
  validateCertificateSigningRequestStatus,
  validateCertificateSigningRequestUpdate,
} from '../validation/certificates.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from '../validation/endpoints.ts';
import { validateEventsEvent, validateEventsEventUpdate } from '../validation/events.ts';
import { validateLease } from '../validation/lease.ts';
import { validateRole, validateRoleBinding, validateRoleBindingUpdate } from '../validation/rbac.ts';
import { define, part, status } from './define.ts';
import { eventsV1Storage } from './events-v1.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', nameRule: 'path-segment' } as const;

export const clusterKinds = {
  lease: define<t.Lease>({
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    plural: 'leases',
    singular: 'lease',
    namespaced: true,
    columns: leaseColumns,
    validate: validateLease,
  }),
  endpointSlice: define<t.EndpointSlice>({
    group: 'discovery.k8s.io',
    version: 'v1',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    singular: 'endpointslice',
    namespaced: true,
    generation: ['endpoints', 'ports'],
    columns: endpointSliceColumns,
    defaults: defaultEndpointSlice,
    validate: validateEndpointSlice,
    validateUpdate: validateEndpointSliceUpdate,
  }),
  eventV1: define<t.EventsEvent>({
    group: 'events.k8s.io',
    version: 'v1',
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    namespaced: true,
    shortNames: ['ev'],
    nameRule: 'path-segment',
    storedAs: eventsV1Storage,
    fieldSelectors: eventsEventFields,
    columns: eventsEventColumns,
    validateNew: validateEventsEvent,
    validateUpdate: validateEventsEventUpdate,
  }),
  certificateSigningRequest: define<t.CertificateSigningRequest>({
    group: 'certificates.k8s.io',
    version: 'v1',
    kind: 'CertificateSigningRequest',
    plural: 'certificatesigningrequests',
    singular: 'certificatesigningrequest',
    nameRule: 'path-segment',
    namespaced: false,
    shortNames: ['csr'],
    subresources: [{ ...status, validateUpdate: validateCertificateSigningRequestStatus }, part('approval')],
    fieldSelectors: certificateSigningRequestFields,
    columns: certificateSigningRequestColumns,
    validate: validateCertificateSigningRequest,
    validateUpdate: validateCertificateSigningRequestUpdate,
  }),
  role: define<t.Role>({
    ...rbac,
    kind: 'Role',
    plural: 'roles',
    singular: 'role',
    namespaced: true,
    columns: roleColumns,
    validate: validateRole,
  }),
  clusterRole: define<t.ClusterRole>({
    ...rbac,
    kind: 'ClusterRole',
    plural: 'clusterroles',
    singular: 'clusterrole',
    namespaced: false,
    columns: roleColumns,
    validate: validateRole,
  }),
  roleBinding: define<t.RoleBinding>({
    ...rbac,
    kind: 'RoleBinding',
    plural: 'rolebindings',
    singular: 'rolebinding',
    namespaced: true,
    columns: roleBindingColumns,
    defaults: defaultRoleBinding,
    validate: validateRoleBinding,
    validateUpdate: validateRoleBindingUpdate,
  }),
  clusterRoleBinding: define<t.ClusterRoleBinding>({
    ...rbac,
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    singular: 'clusterrolebinding',
    namespaced: false,
    columns: roleBindingColumns,
    defaults: defaultRoleBinding,
    validate: validateRoleBinding,
    validateUpdate: validateRoleBindingUpdate,
  }),
} as const;
