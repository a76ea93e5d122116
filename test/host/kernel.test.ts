import t from 'tap';
import { createFakeHost, prepareKernel, undoChanges } from '../../src/host/index.ts';

const sysctls = {
  'net.ipv4.ip_forward': '0',
  'net.bridge.bridge-nf-call-iptables': '0',
  'net.bridge.bridge-nf-call-ip6tables': '1',
};

t.test('modules and settings are there now and after a reboot, and can be taken back', async (t) => {
  const host = createFakeHost({ sysctls, files: { '/proc/filesystems': 'nodev\toverlay\n' } });
  await prepareKernel(host);
  t.strictSame(host.commands, ['modprobe br_netfilter'], 'overlay is there already');
  t.equal(await host.readSysctl('net.ipv4.ip_forward'), '1');
  t.equal(host.files()['/etc/modules-load.d/k8ts.conf'], 'overlay\nbr_netfilter\n');
  t.match(host.files()['/etc/sysctl.d/90-k8ts.conf'], 'net.ipv4.ip_forward = 1\n');
  await undoChanges(host.bare, host.journal);
  t.equal(await host.readSysctl('net.ipv4.ip_forward'), '0');
  t.strictSame(Object.keys(host.files()), ['/proc/filesystems']);
  t.match(host.commands, ['modprobe br_netfilter', 'modprobe -r br_netfilter']);
});

t.test('a module that cannot be loaded is named', async (t) => {
  const host = createFakeHost({ sysctls, onRun: () => ({ code: 1, stderr: 'not found in directory' }) });
  await t.rejects(prepareKernel(host), { code: 'KERNEL_MODULE_ABSENT', message: /overlay.*not found in directory/s });
});

t.test('a setting that the kernel lacks is named', async (t) => {
  const host = createFakeHost({ files: { '/proc/filesystems': '\toverlay\n', '/proc/sys/net/bridge/x': '' } });
  await t.rejects(prepareKernel(host), { code: 'SYSCTL_ABSENT', message: /net.ipv4.ip_forward/ });
});
