// Levels of the Pod Security Standards, by the labels of a namespace.

import t from 'tap';
import { type KindSpec, type KubeObject, kinds } from '../../../src/api/index.ts';
import { podSecurity } from '../../../src/apiserver/admission/pod-security/plugin.ts';
import type { AdmissionRequest } from '../../../src/apiserver/contracts.ts';
import { createFakeObjects } from '../fake-objects.ts';

const prefix = 'pod-security.kubernetes.io/';

function bench(labels: Record<string, string>) {
  const objects = createFakeObjects();
  const named = Object.fromEntries(Object.entries(labels).map(([key, value]) => [`${prefix}${key}`, value]));
  objects.put(kinds.namespace, { metadata: { name: 'ns', labels: named } });
  const plugin = podSecurity(objects.reader);
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  const admit = (kind: KindSpec, object: KubeObject, more: Partial<AdmissionRequest> = {}): string => {
    const request: AdmissionRequest = {
      user: { name: 'u', groups: [] },
      operation: 'CREATE',
      kind,
      subresource: '',
      namespace: 'ns',
      name: object.metadata?.name ?? '',
      dryRun: false,
      object,
      oldObject: undefined,
      warn: (message) => void warnings.push(message),
      annotate: (key, value) => {
        annotations[key] = value;
      },
      ...more,
    };
    try {
      void plugin.validate?.(request);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  return { objects, admit, warnings, annotations };
}

const pod = (spec: object, metadata: object = {}): KubeObject =>
  ({ metadata: { name: 'p', ...metadata }, spec: { containers: [{ name: 'c' }], ...spec } }) as KubeObject;
const container = (securityContext: object, more: object = {}): object => ({
  containers: [{ name: 'c', securityContext, ...more }],
});
const hardened = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  ...container({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }),
};

t.test('restricted says all that is missing at once', async (t) => {
  const { admit } = bench({ enforce: 'restricted' });
  t.equal(
    admit(kinds.pod, pod({})),
    'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
  t.equal(admit(kinds.pod, pod(hardened)), '');
});

t.test('baseline, check by check', async (t) => {
  const { admit } = bench({ enforce: 'baseline', 'enforce-version': 'v1.30' });
  t.equal(admit(kinds.pod, pod({})), '');
  for (const [spec, want] of [
    [{ hostNetwork: true, hostPID: true }, 'host namespaces (hostNetwork=true, hostPID=true)'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "v")'],
    [container({}, { ports: [{ containerPort: 1, hostPort: 80 }] }), 'hostPort (container "c" uses hostPort 80)'],
    [container({ privileged: true }), 'privileged (container "c" must not set securityContext.privileged=true)'],
    [
      container({ capabilities: { add: ['SYS_ADMIN', 'CHOWN'] } }),
      'non-default capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      container({ procMount: 'Unmasked' }),
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      { securityContext: { seLinuxOptions: { type: 'spc_t', user: 'u' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      container({ windowsOptions: { hostProcess: true } }),
      'hostProcess (container "c" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      container({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
    ],
  ] as const) {
    t.equal(admit(kinds.pod, pod(spec)), `pods "p" is forbidden: violates PodSecurity "baseline:v1.30": ${want}`, want);
  }
});

t.test('restricted, what is set to the wrong value', async (t) => {
  const { admit } = bench({ enforce: 'restricted' });
  for (const [spec, want] of [
    [{ securityContext: { ...hardened.securityContext, runAsUser: 0 } }, 'runAsUser=0 (pod must not set runAsUser=0)'],
    [
      { securityContext: { ...hardened.securityContext, runAsNonRoot: false } },
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
    ],
    [{ volumes: [{ name: 'v', nfs: {} }] }, 'restricted volume types (volume "v" uses restricted volume type "nfs")'],
    [
      { securityContext: { ...hardened.securityContext, seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
  ] as const) {
    const message = admit(kinds.pod, pod({ ...hardened, ...spec }));
    t.equal(message, `pods "p" is forbidden: violates PodSecurity "restricted:latest": ${want}`, want);
  }
});

t.test('warnings, the audit log, and workloads', async (t) => {
  const { admit, warnings, annotations } = bench({ enforce: 'baseline', warn: 'restricted', audit: 'baseline' });
  const template = pod({ hostIPC: true });
  t.equal(admit(kinds.deployment, { metadata: { name: 'd' }, spec: { template } } as KubeObject), '');
  t.match(warnings, [/^would violate PodSecurity "restricted:latest": host namespaces \(hostIPC=true\), allowPriv/]);
  t.equal(
    annotations[`${prefix}audit-violations`],
    'would violate PodSecurity "baseline:latest": host namespaces (hostIPC=true)',
  );
});

t.test('only changes that matter are judged', async (t) => {
  const { admit } = bench({ enforce: 'restricted' });
  const [old, labelled] = [pod({}), pod({}, { labels: { a: 'b' } })];
  t.equal(admit(kinds.pod, labelled, { operation: 'UPDATE', oldObject: old }), '');
  const image = pod({ containers: [{ name: 'c', image: 'other' }] });
  t.match(admit(kinds.pod, image, { operation: 'UPDATE', oldObject: old }), /violates PodSecurity/);
  t.equal(admit(kinds.pod, old, { operation: 'UPDATE', subresource: 'status', oldObject: old }), '');
});

t.test('a namespace whose level rises tells what is below it', async (t) => {
  const { admit, objects, warnings } = bench({});
  for (const name of ['a', 'b']) objects.put(kinds.pod, pod({ hostPID: true }, { name, namespace: 'ns' }));
  const labelled = (labels: Record<string, string>) => ({ metadata: { name: 'ns', labels } });
  const change = (labels: Record<string, string>) =>
    admit(kinds.namespace, labelled(labels), {
      operation: 'UPDATE',
      namespace: undefined,
      oldObject: labelled({}),
    });
  t.equal(change({ [`${prefix}enforce`]: 'baseline' }), '');
  t.strictSame(warnings, [
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 1 other pod): host namespaces',
  ]);
  t.match(
    change({ [`${prefix}enforce`]: 'strict' }),
    /metadata.labels\[pod-security.kubernetes.io\/enforce\]: Invalid value: "strict": must be one of privileged, baseline/,
  );
  t.match(change({ [`${prefix}warn-version`]: '1' }), /must be "latest" or "v1.x"/);
});
