// Every pod has a ServiceAccount that exists, and its containers find that account's token, the cluster CA and the namespace
// at the place where clients look. The volume is the one that upstream adds, source for source, because tests and tools
// compare it. Source: Kubernetes documentation, "Managing Service Accounts", bound ServiceAccount token volume.

import { randomInt } from 'node:crypto';
import { type Container, kinds, type Pod, type PodSpec, type ServiceAccount, type Volume } from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contracts.ts';
import { awaitDefaultAccount, defaultAccount } from './default-account.ts';
import { isPod, refuse } from './refuse.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** Letters and digits that upstream's generated names are made of: no vowels, nothing that looks like another one. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

export function serviceAccount(reader: ObjectReader): AdmissionPlugin {
  const comes = awaitDefaultAccount(reader);
  return {
    name: 'ServiceAccount',
    mutate(request) {
      const pod = request.object as Pod;
      if (request.operation !== 'CREATE' || !isPod(request) || isMirror(pod) || pod.spec === undefined) return pod;
      const { spec } = pod;
      const { namespace = '' } = request;
      const name = nonEmpty(spec.serviceAccountName) ?? defaultAccount;
      const withAccount = (account: ServiceAccount | undefined): Pod => {
        if (account !== undefined) return { ...pod, spec: withServiceAccount(spec, account, name) };
        throw refuse(
          request,
          `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
        );
      };
      const account = reader.get<ServiceAccount>(kinds.serviceAccount, namespace, name);
      if (account === undefined && name === defaultAccount) return comes(namespace).then(withAccount);
      return withAccount(account);
    },
    validate(request) {
      const pod = request.object as Pod | undefined;
      if (request.operation !== 'CREATE' || !isPod(request) || pod === undefined || !isMirror(pod)) return;
      refuseMirrorReferences(request, pod);
    },
  };
}

function withServiceAccount(spec: PodSpec, account: ServiceAccount, name: string): PodSpec {
  const named: PodSpec = { ...spec, serviceAccountName: name, serviceAccount: name };
  const automount = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  return withPullSecrets(automount ? withToken(named) : named, account);
}

function withPullSecrets(spec: PodSpec, account: ServiceAccount): PodSpec {
  if ((spec.imagePullSecrets ?? []).length > 0 || (account.imagePullSecrets ?? []).length === 0) return spec;
  return { ...spec, imagePullSecrets: (account.imagePullSecrets ?? []).map(({ name = '' }) => ({ name })) };
}

function withToken(spec: PodSpec): PodSpec {
  const existing = spec.volumes?.find((volume) => volume.name?.startsWith(volumePrefix))?.name;
  const name = existing ?? `${volumePrefix}${randomSuffix()}`;
  let mounted = false;
  const mount = (container: Container): Container => {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((other) => other.mountPath === mountPath)) return container;
    mounted = true;
    return { ...container, volumeMounts: [...mounts, { mountPath, name, readOnly: true }] };
  };
  const containers = (spec.containers ?? []).map(mount);
  const initContainers = spec.initContainers?.map(mount);
  if (!mounted) return spec;
  return {
    ...spec,
    containers,
    ...(initContainers && { initContainers }),
    volumes: existing === undefined ? [...(spec.volumes ?? []), tokenVolume(name)] : (spec.volumes ?? []),
  };
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        // One hour and a little: kubelet-like agents renew at 80 % of it.
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
        {
          downwardAPI: {
            items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }],
          },
        },
      ],
    },
  };
}

function refuseMirrorReferences(request: AdmissionRequest, { spec }: Pod): void {
  const account = nonEmpty(spec?.serviceAccountName);
  if (account !== undefined) throw refuse(request, 'a mirror pod may not reference service accounts');
  const usesSecret = (spec?.volumes ?? []).some((volume) => volume.secret !== undefined);
  if (usesSecret) throw refuse(request, 'a mirror pod may not reference secrets');
}

function isMirror(pod: Pod): boolean {
  return pod.metadata?.annotations?.[mirrorAnnotation] !== undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function randomSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)] ?? 'x').join('');
}
