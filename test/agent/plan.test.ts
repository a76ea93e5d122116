import t from 'tap';
import { afterRestart, type RestartBackoff, restartAt } from '../../src/agent/pods/backoff.ts';
import { type PodView, planPod } from '../../src/agent/pods/plan.ts';
import { container, exited, pod, running, runtime, view } from './builders.ts';

const none = { sandboxes: [], containers: [] };
const twoInits = { initContainers: [container('i1'), container('i2')] };
const withSidecar = { initContainers: [container('side', { restartPolicy: 'Always' })] };

t.test('what comes next', async (t) => {
  const cases: readonly { readonly name: string; readonly given: Partial<PodView>; readonly want: unknown }[] = [
    { name: 'nothing there: a sandbox', given: { runtime: none }, want: { do: 'sandbox', attempt: 0 } },
    { name: 'a start is under way: nothing', given: { runtime: none, starting: true }, want: undefined },
    { name: 'volumes before containers', given: { volumesMounted: false }, want: { do: 'volumes' } },
    {
      name: 'the container',
      given: {},
      want: { do: 'start', container: { name: 'main' }, restartCount: 0, sandboxId: 's0' },
    },
    { name: 'it runs: nothing', given: { runtime: runtime([running()]) }, want: undefined },
    {
      name: 'the sandbox died: another one',
      given: {
        runtime: {
          ...runtime([exited('main', 137)]),
          sandboxes: [{ id: 's0', attempt: 0, createdAt: 500, ready: false, ips: [], hostNetwork: false }],
        },
      },
      want: { do: 'sandbox', attempt: 1 },
    },
    {
      name: 'the sandbox died as soon as it was made: not at once',
      given: {
        runtime: {
          ...runtime([]),
          sandboxes: [{ id: 's0', attempt: 0, createdAt: 19_500, ready: false, ips: [], hostNetwork: false }],
        },
      },
      want: undefined,
    },
    {
      name: 'it failed to start because its sandbox went away: again, at once',
      given: {
        runtime: runtime([exited('main', 128, { sandboxId: 'old', startedAt: 0, finishedAt: 19_000 })]),
        backoff: () => ({ delay: 10_000, restartedAt: 19_000 }),
      },
      want: { do: 'start', restartCount: 1 },
    },
    {
      name: 'it ran in another sandbox and failed often: not at once',
      given: {
        runtime: runtime([exited('main', 1, { sandboxId: 'old', finishedAt: 19_000 })]),
        backoff: () => ({ delay: 10_000, restartedAt: 19_000 }),
      },
      want: undefined,
    },
    {
      name: 'it failed: again, at once',
      given: { runtime: runtime([exited('main', 1)]) },
      want: { do: 'start', restartCount: 1 },
    },
    {
      name: 'Never: not again',
      given: { pod: pod({ restartPolicy: 'Never' }), runtime: runtime([exited('main', 1)]) },
      want: { do: 'teardown' },
    },
    {
      name: 'Never, but the container itself OnFailure: again',
      given: {
        pod: pod({ restartPolicy: 'Never', containers: [container('main', { restartPolicy: 'OnFailure' })] }),
        runtime: runtime([exited('main', 1)]),
      },
      want: { do: 'start', restartCount: 1 },
    },
    {
      name: 'Always, but the only container itself Never: not again',
      given: {
        pod: pod({ containers: [container('main', { restartPolicy: 'Never' })] }),
        runtime: runtime([exited('main', 1)]),
      },
      want: { do: 'teardown' },
    },
    {
      name: 'an init container that itself must not: the pod is over',
      given: {
        pod: pod({ initContainers: [container('i', { restartPolicy: 'Never' })] }),
        runtime: runtime([exited('i', 1)]),
      },
      want: { do: 'teardown' },
    },
    {
      name: 'OnFailure after success: not again',
      given: { pod: pod({ restartPolicy: 'OnFailure' }), runtime: runtime([exited('main', 0)]) },
      want: { do: 'teardown' },
    },
    {
      name: 'OnFailure after failure: again',
      given: { pod: pod({ restartPolicy: 'OnFailure' }), runtime: runtime([exited('main', 2)]) },
      want: { do: 'start', restartCount: 1 },
    },
    { name: 'the first init container', given: { pod: pod(twoInits) }, want: { container: { name: 'i1' } } },
    {
      name: 'while it runs: nothing',
      given: { pod: pod(twoInits), runtime: runtime([running('i1')]) },
      want: undefined,
    },
    {
      name: 'then the second',
      given: { pod: pod(twoInits), runtime: runtime([exited('i1', 0)]) },
      want: { container: { name: 'i2' } },
    },
    {
      name: 'then the containers',
      given: { pod: pod(twoInits), runtime: runtime([exited('i2', 0), exited('i1', 0)]) },
      want: { container: { name: 'main' } },
    },
    {
      name: 'an init container failed and may not be tried again',
      given: { pod: pod({ ...twoInits, restartPolicy: 'Never' }), runtime: runtime([exited('i1', 1)]) },
      want: { do: 'teardown' },
    },
    {
      name: 'a sidecar is waited for only until it has started',
      given: { pod: pod(withSidecar), runtime: runtime([running('side')]) },
      want: { container: { name: 'main' } },
    },
    {
      name: 'a sidecar that has not started up holds the others back',
      given: {
        pod: pod({ initContainers: [container('side', { restartPolicy: 'Always', startupProbe: {} })] }),
        runtime: runtime([running('side')]),
      },
      want: undefined,
    },
    {
      name: 'a sidecar that ended is started again beside running containers',
      given: { pod: pod(withSidecar), runtime: runtime([running('main'), exited('side', 0)]) },
      want: { container: { name: 'side' }, restartCount: 1 },
    },
    {
      name: 'a runtime that has forgotten the container: counted on from the last status',
      given: {
        pod: pod(
          {},
          {
            status: {
              containerStatuses: [
                { name: 'main', containerID: 'containerd://x', restartCount: 4, image: '', imageID: '', ready: false },
              ],
            },
          },
        ),
      },
      want: { do: 'start', restartCount: 5 },
    },
    {
      name: 'a debug container, once',
      given: { pod: pod({ ephemeralContainers: [{ name: 'dbg', image: 'x' }] }), runtime: runtime([running()]) },
      want: { do: 'start', container: { name: 'dbg' } },
    },
    {
      name: 'a debug container that ended stays ended',
      given: {
        pod: pod({ ephemeralContainers: [{ name: 'dbg', image: 'x' }] }),
        runtime: runtime([exited('dbg', 1), running()]),
      },
      want: undefined,
    },
    {
      name: 'ending with nothing running: teardown',
      given: { ending: { graceSeconds: 30 } },
      want: { do: 'teardown' },
    },
    {
      name: 'ending while a start is under way: wait for it',
      given: { ending: { graceSeconds: 30 }, starting: true },
      want: undefined,
    },
  ];
  for (const { name, given, want } of cases) {
    const { next } = planPod(view(given));
    if (want === undefined) t.equal(next, undefined, name);
    else t.match(next, want, name);
  }
});

t.test('what is stopped', async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly given: Partial<PodView>;
    readonly want: readonly unknown[];
  }[] = [
    {
      name: 'a failed liveness probe',
      given: { runtime: runtime([running()]), health: () => ({ startup: undefined, liveness: 'failure' }) },
      want: [{ container: { id: 'main-0' }, message: 'Container main failed liveness probe, will be restarted' }],
    },
    {
      name: 'a failed startup probe, with its own grace',
      given: {
        pod: pod({ containers: [container('main', { startupProbe: { terminationGracePeriodSeconds: 3 } })] }),
        runtime: runtime([running()]),
        health: () => ({ startup: 'failure', liveness: undefined }),
      },
      want: [{ message: /failed startup probe/, graceSeconds: 3 }],
    },
    {
      name: 'another image in the spec',
      given: { pod: pod({ containers: [container('main', { image: 'app:2' })] }), runtime: runtime([running()]) },
      want: [{ message: 'Container main definition changed, will be restarted' }],
    },
    {
      name: 'containers of an older sandbox',
      given: { runtime: runtime([running('main', { sandboxId: 'old' })]) },
      want: [{ message: /sandbox changed/ }],
    },
    {
      name: 'everything of a pod that ends',
      given: { runtime: runtime([running()]), ending: { graceSeconds: 7 } },
      want: [{ graceSeconds: 7 }],
    },
    {
      name: 'not what is being stopped already',
      given: { runtime: runtime([running()]), ending: { graceSeconds: 7 }, stopping: new Map([['main-0', 7]]) },
      want: [],
    },
    {
      name: 'once more with a shorter grace',
      given: { runtime: runtime([running()]), ending: { graceSeconds: 1 }, stopping: new Map([['main-0', 7]]) },
      want: [{ graceSeconds: 1 }],
    },
    {
      name: 'sidecars only after the others',
      given: {
        pod: pod(withSidecar),
        runtime: runtime([running('main'), running('side')]),
        ending: { graceSeconds: 5 },
      },
      want: [{ container: { name: 'main' } }],
    },
    {
      name: 'sidecars of a pod whose containers are done',
      given: {
        pod: pod({ ...withSidecar, restartPolicy: 'Never' }),
        runtime: runtime([exited('main', 0), running('side')]),
      },
      want: [{ container: { name: 'side' } }],
    },
  ];
  for (const { name, given, want } of cases) {
    const { stops } = planPod(view(given));
    t.equal(stops.length, want.length, name);
    t.match(stops, want, name);
  }
});

t.test('restarts wait twice as long each time, counted from the end of the container', async (t) => {
  let backoff: RestartBackoff | undefined;
  const delays: number[] = [];
  for (let now = 0, restarts = 0; restarts < 8; restarts += 1) {
    const at = restartAt(backoff, now);
    delays.push(Math.max(0, at - now));
    now = Math.max(now, at);
    backoff = afterRestart(backoff, now);
    now += 1000;
  }
  t.same(delays, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  t.equal(restartAt({ delay: 300_000, restartedAt: 0 }, 600_001), 0, 'ten good minutes are forgiven');

  const plan = planPod(
    view({ runtime: runtime([exited('main', 1)]), backoff: () => ({ delay: 10_000, restartedAt: 9000 }), now: 12_000 }),
  );
  t.equal(plan.next, undefined);
  t.equal(plan.wakeAt, 20_000);
  t.same([...plan.waiting], [['main', 20_000]]);
});
