import t from 'tap';
import { readHostDns } from '../../src/agent/node/host-dns.ts';
import { createFakeHost } from '../../src/host/index.ts';

const real = '/run/systemd/resolve/resolv.conf';
const stub = 'nameserver 127.0.0.53\nsearch lan\n';
for (const { name, files, want } of [
  { name: 'a plain machine', files: { '/etc/resolv.conf': 'nameserver 192.0.2.1\n' }, want: ['192.0.2.1'] },
  {
    name: 'systemd-resolved: the servers behind its stub',
    files: { [real]: 'nameserver 192.0.2.2\n', '/etc/resolv.conf': stub },
    want: ['192.0.2.2'],
  },
  {
    name: 'systemd-resolved without servers',
    files: { [real]: '# none\n', '/etc/resolv.conf': stub },
    want: ['127.0.0.53'],
  },
  { name: 'no DNS at all', files: {}, want: [] },
]) {
  t.test(name, async (t) => void t.same((await readHostDns(createFakeHost({ files }))).servers, want));
}
