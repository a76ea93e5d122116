import t from 'tap';
import { createFakeHost, createServices, undoChanges } from '../../src/host/index.ts';
import { readShow, unitOf } from '../../src/host/systemd-services.ts';

t.test('a unit says what to run, when it is ready, and what it may write', async (t) => {
  const unit = unitOf({
    name: 'k8ts-server',
    description: 'k8ts control plane',
    command: ['/opt/my node/node', '/opt/k8ts.js', 'run', '100%'],
    environment: { A: 'b c' },
    writablePaths: ['/var/lib/k8ts'],
  });
  t.match(unit, 'ExecStart="/opt/my node/node" /opt/k8ts.js run 100%%\n');
  t.match(unit, 'Type=notify\nNotifyAccess=all\n');
  t.match(unit, 'Environment="A=b c"\n');
  t.match(unit, 'ProtectSystem=strict');
  t.match(unit, 'ReadWritePaths=-/var/lib/k8ts\n');
  t.notMatch(unitOf({ name: 'a', description: '', command: ['/a'] }), 'ProtectSystem');
});

for (const { name, given, want } of [
  { name: 'absent', given: 'LoadState=not-found\nActiveState=inactive', want: { state: 'absent' } },
  {
    name: 'running',
    given: 'LoadState=loaded\nActiveState=active\nMainPID=7\nNRestarts=2',
    want: { state: 'running', pid: 7, restarts: 2 },
  },
  { name: 'starting', given: 'LoadState=loaded\nActiveState=activating\nSubState=start', want: { state: 'starting' } },
  {
    name: 'between restarts',
    given: 'LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=exit-code',
    want: { state: 'failed', reason: /exit-code/ },
  },
  { name: 'stopped', given: 'LoadState=loaded\nActiveState=inactive\nMainPID=0', want: { state: 'stopped' } },
]) {
  t.test(`systemctl show: ${name}`, async (t) => void t.match(readShow(given), want));
}

t.test('systemd is used where it is PID 1, and what it was told is in the journal', async (t) => {
  const host = createFakeHost({ files: { '/run/systemd/system/x': '' } });
  const services = await createServices(host, { program: ['/node', '/k8ts.js'] });
  t.equal(services.kind, 'systemd');
  await services.install({ name: 'k8ts-agent', description: 'agent', command: ['/node'] });
  await services.start('k8ts-agent');
  await services.remove('k8ts-agent');
  t.strictSame(host.commands, [
    'systemctl enable k8ts-agent.service',
    'systemctl start --no-block k8ts-agent.service',
    'systemctl disable --now k8ts-agent.service',
    'systemctl daemon-reload',
  ]);
  const changes = await host.journal.changes();
  t.match(changes.slice(-2), [
    { kind: 'file', before: null },
    { kind: 'unit', name: 'k8ts-agent.service' },
  ]);
});

t.test('without systemd the supervisor is used', async (t) => {
  t.equal((await createServices(createFakeHost(), { program: ['/node'] })).kind, 'supervisor');
});

t.test('undo disables a unit, and stops a slice, which has no file', async (t) => {
  const host = createFakeHost();
  await host.record({ kind: 'unit', name: 'kubepods.slice' });
  await host.record({ kind: 'unit', name: 'k8ts-agent.service' });
  await undoChanges(host.bare, host.journal);
  t.strictSame(host.commands, ['systemctl disable --now k8ts-agent.service', 'systemctl stop kubepods.slice']);
});

t.test('stopping what is not installed is no error', async (t) => {
  const host = createFakeHost({
    files: { '/run/systemd/system/x': '' },
    onRun: (_program, args) =>
      args[0] === 'stop' ? { code: 5, stderr: 'Unit k8ts-server.service not loaded.' } : undefined,
  });
  const services = await createServices(host, { program: ['/node', '/k8ts.js'] });
  await t.resolves(services.stop('k8ts-server'));
});
