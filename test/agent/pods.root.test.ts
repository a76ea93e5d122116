import { existsSync, readdirSync } from 'node:fs';
import t from 'tap';
import { containersOf, enterLab, isReady, podOf, poll, sleepScript, stateOf } from './lab.ts';

const lab = await enterLab(t, import.meta.filename);
if (lab !== undefined) {
  t.test('a pod comes up, is Ready, and leaves nothing behind when it is deleted', async (t) => {
    const begun = performance.now();
    await lab.create(podOf('web', sleepScript));
    const pod = await lab.until('web', 'ready', isReady);
    t.comment(`POST to Ready ${Math.round(performance.now() - begun)} ms`);
    t.match(pod?.status, {
      phase: 'Running',
      podIP: /^10\.200\.0\./,
      hostIP: '127.0.0.1',
      qosClass: 'BestEffort',
      containerStatuses: [
        {
          name: 'main',
          ready: true,
          started: true,
          restartCount: 0,
          containerID: /^containerd:\/\/[0-9a-f]{64}$/,
          state: { running: {} },
        },
      ],
    });
    const uid = pod?.metadata?.uid ?? '';
    const deleting = performance.now();
    await lab.remove('web');
    await lab.until('web', 'gone', (now) => now === undefined);
    t.comment(`delete to gone ${Math.round(performance.now() - deleting)} ms`);
    await lab.untilEmpty();
    t.same(readdirSync(`${lab.dataDir}/pods`), []);
    t.notOk(existsSync(`/run/k8ts/volumes/${uid}`));
    t.notOk(existsSync(`/sys/fs/cgroup/cpu/kubepods/besteffort/pod${uid}`));
    await poll(() => !existsSync(`/var/log/pods/default_web_${uid}`), 'logs removed');
  });

  t.test('a container that ends is started again: at once the first time, then after a while', async (t) => {
    await lab.create(podOf('crash', 'echo "went wrong" > /dev/termination-log; exit 3'));
    const pod = await lab.until(
      'crash',
      'in CrashLoopBackOff',
      (now) => stateOf(now)?.waiting?.reason === 'CrashLoopBackOff',
    );
    t.match(containersOf(pod), [
      {
        restartCount: 1,
        ready: false,
        state: { waiting: { message: /^back-off 10s restarting failed container=main pod=crash_default/ } },
        lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'went wrong\n' } },
      },
    ]);
    t.equal(pod?.status?.phase, 'Running');
    await lab.remove('crash');
    await lab.until('crash', 'gone', (now) => now === undefined);
  });

  t.test('init containers run in order, then the others; a pod that is done has Succeeded', async (t) => {
    const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
    const container = podOf('job', '').spec?.containers[0];
    if (container === undefined) throw new Error('no container');
    const step = (name: string, script: string) => ({
      ...container,
      name,
      command: ['sh', '-c', script],
      volumeMounts,
    });
    await lab.create(
      podOf('job', '', {
        restartPolicy: 'Never',
        volumes: [{ name: 'shared', emptyDir: {} }],
        initContainers: [step('one', 'echo 1 > /shared/x'), step('two', 'echo 2 >> /shared/x')],
        containers: [step('main', 'cat /shared/x > /dev/termination-log')],
      }),
    );
    const pod = await lab.until('job', 'over', (now) => now?.status?.phase === 'Succeeded');
    t.equal(stateOf(pod)?.terminated?.message, '1\n2\n');
    t.match(pod?.status?.initContainerStatuses, [
      { ready: true, state: { terminated: { reason: 'Completed' } } },
      { ready: true },
    ]);
    t.match(
      pod?.status?.conditions?.find(({ type }) => type === 'Ready'),
      { status: 'False', reason: 'PodCompleted' },
    );
    await lab.remove('job');
    await lab.until('job', 'gone', (now) => now === undefined);
  });

  t.test('a restarted agent finds its containers again and ends what the cluster has forgotten', async (t) => {
    await lab.create(podOf('kept', sleepScript));
    await lab.create(podOf('lost', sleepScript));
    const before = containersOf(await lab.until('kept', 'ready', isReady))[0]?.containerID;
    await lab.until('lost', 'ready', isReady);
    await lab.restart(() => lab.forget('lost'));
    await lab.untilContainers(1);
    const pod = await lab.until('kept', 'ready', isReady);
    t.match(containersOf(pod), [{ containerID: before, restartCount: 0 }]);
    await lab.remove('kept');
    await lab.until('kept', 'gone', (now) => now === undefined);
    await lab.untilEmpty();
  });

  t.test('an image that is not there', async (t) => {
    const [main] = podOf('x', '').spec?.containers ?? [];
    if (main === undefined) throw new Error('no container');
    await lab.create(
      podOf('noimage', '', { containers: [{ ...main, image: 'k8ts/absent:1', imagePullPolicy: 'Never' }] }),
    );
    const pod = await lab.until(
      'noimage',
      'waiting for its image',
      (now) => stateOf(now)?.waiting?.reason === 'ErrImageNeverPull',
    );
    t.match(stateOf(pod)?.waiting?.message, /not present with pull policy of Never/);
    t.equal(pod?.status?.phase, 'Pending');
    await lab.remove('noimage');
    await lab.until('noimage', 'gone', (now) => now === undefined);
  });
}
