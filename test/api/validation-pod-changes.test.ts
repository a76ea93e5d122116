// How a pod may change, directly and through its subresources: one mistake, upstream's sentence.

import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { made, wrongChange as wrongIn } from './validated.ts';

type Fields = Readonly<Record<string, unknown>>;

const pod = (spec: Fields): object => ({ spec: { containers: [{ name: 'a', image: 'i' }], ...spec } });
const metadata = { name: 'x', namespace: 'default', resourceVersion: '1' };

function wrongChange(before: object, after: object, subresource = ''): readonly string[] {
  return wrongIn(kinds.pod, { metadata, ...before }, { metadata, ...after }, subresource);
}

t.test('how a pod may change', async (t) => {
  const fixed = /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/;
  t.strictSame(wrongChange(pod({}), pod({ containers: [{ name: 'a', image: 'j' }], activeDeadlineSeconds: 5 })), []);
  t.match(wrongChange(pod({}), pod({ hostname: 'h' })), [fixed]);
  t.match(wrongChange(pod({}), pod({ hostname: 'h' })), [
    /\n {2}core\.PodSpec\{\n- \tHostname: "h",\n\+ \tHostname: nil,\n {2}\}\n$/,
  ]);
  t.match(wrongChange(pod({}), { spec: undefined }).at(-1), /^spec.containers: Forbidden: pod updates may not add or/);
  t.strictSame(wrongChange(pod({ activeDeadlineSeconds: 5 }), pod({})), [
    'spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value',
  ]);
  t.strictSame(wrongChange(pod({ activeDeadlineSeconds: 5 }), pod({ activeDeadlineSeconds: 6 })), [
    'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
  ]);
  t.strictSame(wrongChange(pod({ terminationGracePeriodSeconds: -1 }), pod({ terminationGracePeriodSeconds: 1 })), []);
  const gates = { schedulingGates: [{ name: 'g' }] };
  t.strictSame(wrongChange(pod({}), pod(gates)), [
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
  ]);
  t.strictSame(wrongChange(pod(gates), pod({ nodeSelector: { a: 'b' } })), [], 'a gated pod may be told where to run');
  t.strictSame(wrongChange(pod({ ...gates, nodeSelector: { a: 'b' } }), pod({ ...gates, nodeSelector: { a: 'c' } })), [
    'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ]);
  const term = (values: readonly string[]): Fields => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'In', values }] }],
        },
      },
    },
  });
  t.match(wrongChange(pod({ ...gates, ...term(['a']) }), pod({ ...gates, ...term(['b']) })), [
    /nodeSelectorTerms\[0\]: Invalid value: .*: only additions are allowed \(no mutations or deletions\)$/,
  ]);
  t.strictSame(
    wrongChange(
      { ...pod({}), metadata: { ...metadata, annotations: { 'kubernetes.io/config.mirror': 'a' } } },
      pod({}),
    ),
    ['metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update mirror pod annotation'],
  );
});

t.test('debug containers are only ever added', async (t) => {
  const debug = (image: string, more: Fields = {}): object =>
    pod({ ephemeralContainers: [{ name: 'debug', image, ...more }] });
  const part = 'ephemeralcontainers';
  t.strictSame(wrongChange(pod({}), debug('i'), part), []);
  t.strictSame(wrongChange(debug('i'), pod({}), part), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
  ]);
  t.strictSame(wrongChange(debug('i'), debug('j'), part), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed\n',
  ]);
  t.match(wrongChange(pod({}), debug('i')), [/^spec: Forbidden: pod updates may not change/], 'through their own door');
  t.strictSame(
    wrongChange(
      pod({}),
      debug('i', { ports: [{ containerPort: 1 }], targetContainerName: 'b', restartPolicy: 'Always' }),
      part,
    ),
    [
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].restartPolicy: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].targetContainerName: Not found: "b"',
    ],
  );
});

t.test('what is reported of a pod', async (t) => {
  const status = (value: Fields): object => ({ ...pod({ restartPolicy: 'Never' }), status: value });
  t.strictSame(
    wrongChange(
      status({}),
      status({ qosClass: 'Guaranteed', podIPs: [{ ip: 'x' }, { ip: '1.2.3.4' }], hostIPs: [{ ip: '1.2.3.4' }] }),
      'status',
    ),
    [
      'status.qosClass: Invalid value: "Guaranteed": field is immutable',
      'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'status.podIPs: Invalid value: [{"ip":"x"},{"ip":"1.2.3.4"}]: may specify no more than one IP for each IP family',
      'status.hostIPs[0].ip: Invalid value: "1.2.3.4": must be equal to `hostIP`',
    ],
  );
  const report = (state: Fields): object => status({ containerStatuses: [{ name: 'a', state }] });
  t.strictSame(wrongChange(report({ terminated: { exitCode: 1 } }), report({ running: {} }), 'status'), [
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  ]);
  const invalidSpec = { spec: { containers: [] } };
  t.strictSame(
    wrongChange(invalidSpec, { ...invalidSpec, status: { conditions: [{ type: 'Ready' }] } }, 'status'),
    [],
    'the spec is not asked again',
  );
  const addresses = (given: Fields): unknown => (made(kinds.pod, status(given)) as { status?: unknown }).status;
  t.strictSame(addresses({ podIP: '1.2.3.4' }), { podIP: '1.2.3.4', podIPs: [{ ip: '1.2.3.4' }] });
  t.strictSame(addresses({ podIPs: [{ ip: '1.2.3.4' }] }), { podIP: '1.2.3.4', podIPs: [{ ip: '1.2.3.4' }] });
  t.strictSame(addresses({ podIP: '1.2.3.5', podIPs: [{ ip: '1.2.3.4' }, { ip: '::1' }] }), {
    podIP: '1.2.3.5',
    podIPs: [{ ip: '1.2.3.5' }],
  });
});
