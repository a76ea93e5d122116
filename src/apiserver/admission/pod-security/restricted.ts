// The checks of level restricted, which come on top of baseline: the current practice of hardening.
// Source: Kubernetes documentation, "Pod Security Standards".

import type { Container, PodSpec } from '../../../api/index.ts';
import { baseline, baselineCapabilities, baselineSeccomp } from './baseline.ts';
import {
  badContainers,
  type Check,
  containersOf,
  isWindows,
  quoted,
  type SecurityContext,
  setters,
  shown,
  sorted,
} from './check.ts';

const allowedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const allowPrivilegeEscalation: Check = (spec) => {
  const names = isWindows(spec) ? [] : badContainers(spec, (context) => context.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  const detail = `${shown('container', names)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
};

const capabilities: Check = (spec) => {
  if (isWindows(spec)) return undefined;
  const added = ({ capabilities: own }: SecurityContext): readonly string[] =>
    (own?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
  const keeping = badContainers(spec, (context) => context.capabilities?.drop?.includes('ALL') !== true);
  const adding = badContainers(spec, (context) => added(context).length > 0);
  const names = sorted(containersOf(spec).flatMap(({ securityContext }) => added(securityContext ?? {})));
  const details = [
    ...(keeping.length > 0
      ? [`${shown('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [`${shown('container', adding)} must not include ${quoted(names)} in securityContext.capabilities.add`]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const volumeTypes: Check = ({ volumes = [] }) => {
  const typed = volumes.map((volume) => {
    const type = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
    return { name: volume.name, type };
  });
  const bad = typed.filter(({ type }) => !allowedVolumes.has(type));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map(({ type }) => type));
  const who = shown(
    'volume',
    bad.map(({ name }) => name),
  );
  const verb = bad.length === 1 ? 'uses' : 'use';
  const detail = `${who} ${verb} restricted volume ${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`;
  return { reason: 'restricted volume types', detail };
};

const runAsNonRoot: Check = (spec) => {
  const reason = 'runAsNonRoot != true';
  const pod = spec.securityContext?.runAsNonRoot;
  const containers = badContainers(spec, (context) => context.runAsNonRoot === false);
  const who = setters(pod === false, containers);
  if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = pod === true ? [] : badContainers(spec, (context) => context.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${shown('container', silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Check = (spec) => {
  const who = setters(
    spec.securityContext?.runAsUser === 0,
    badContainers(spec, (context) => context.runAsUser === 0),
  );
  return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
};

const seccomp: Check = (spec) => {
  if (isWindows(spec)) return undefined;
  const reason = 'seccompProfile';
  const typeOf = ({ securityContext }: PodSpec | Container): string | undefined =>
    securityContext?.seccompProfile?.type;
  const isBad = (type: string | undefined): boolean =>
    type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
  const containers = containersOf(spec);
  const bad = containers.filter((container) => isBad(typeOf(container))).map(({ name }) => name);
  const who = setters(isBad(typeOf(spec)), bad);
  if (who !== '') {
    const types = sorted([typeOf(spec), ...containers.map(typeOf)].filter(isBad).map(String));
    return { reason, detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}` };
  }
  const silent = typeOf(spec) !== undefined ? [] : containers.filter((container) => typeOf(container) === undefined);
  if (silent.length === 0) return undefined;
  const names = shown(
    'container',
    silent.map(({ name }) => name),
  );
  const want = '"RuntimeDefault" or "Localhost"';
  return { reason, detail: `pod or ${names} must set securityContext.seccompProfile.type to ${want}` };
};

/** All checks of the level: baseline's, less those that a stricter one replaces. */
export const restricted: readonly Check[] = [
  ...baseline.filter((check) => check !== baselineCapabilities && check !== baselineSeccomp),
  allowPrivilegeEscalation,
  capabilities,
  volumeTypes,
  runAsNonRoot,
  runAsUser,
  seccomp,
];
