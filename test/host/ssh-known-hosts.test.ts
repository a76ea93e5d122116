import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { fingerprint, openKnownHosts, parseKnownHosts } from '../../src/host/ssh-known-hosts.ts';

/** A key on the wire whose content does not matter here. */
function key(type: string, content: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(content)]);
}
const ed = key('ssh-ed25519', 'one');
const other = key('ssh-ed25519', 'two');
const rsa = key('ssh-rsa', 'three');
const line = (names: string, of: Buffer, type = 'ssh-ed25519'): string => `${names} ${type} ${of.toString('base64')}`;

const cases = [
  { name: 'nothing known', text: '', want: 'unknown' },
  { name: 'the key', text: line('host', ed), want: 'known' },
  { name: 'the key in other letters', text: line('HOST', ed), want: 'known' },
  { name: 'among several names', text: line('a,host,192.0.2.1', ed), want: 'known' },
  { name: 'a pattern', text: line('h?st*', ed), want: 'known' },
  { name: 'a pattern with an exception', text: line('*,!host', ed), want: 'unknown' },
  { name: 'a dot is a dot', text: line('ho.t', ed), want: 'unknown' },
  { name: 'another key', text: line('host', other), want: 'changed' },
  { name: 'only of another type', text: line('host', rsa, 'ssh-rsa'), want: 'changed' },
  { name: 'one of two', text: `${line('host', other)}\n${line('host', ed)}`, want: 'known' },
  { name: 'another port', text: line('[host]:2222', ed), want: 'unknown' },
  { name: 'the port', text: line('[host]:2222', ed), port: 2222, want: 'known' },
  { name: 'known without the port', text: line('host', ed), port: 2222, want: 'known' },
  { name: 'another key without the port', text: line('host', other), port: 2222, want: 'unknown' },
  { name: 'revoked', text: `${line('host', ed)}\n@revoked ${line('*', ed)}`, want: 'revoked' },
  { name: 'another one revoked', text: `${line('host', ed)}\n@revoked ${line('*', other)}`, want: 'known' },
  { name: 'a certificate authority', text: `@cert-authority ${line('host', other)}`, want: 'unknown' },
  { name: 'comments and rubbish', text: `# ${line('host', other)}\n\nrubbish\n  ${line('host', ed)}`, want: 'known' },
] as const;

async function openText(t: { teardown(work: () => void): void }, text: string) {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-known-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'known_hosts');
  writeFileSync(file, text);
  return { file, known: await openKnownHosts([file, join(dir, 'none')]) };
}

for (const { name, text, want, ...rest } of cases) {
  t.test(`${name}: ${want}`, async (t) => {
    const { known, file } = await openText(t, text);
    const verdict = known.check('host', 'port' in rest ? rest.port : 22, ed);
    t.equal(verdict.kind, want);
    if ('at' in verdict) t.match(verdict.at, new RegExp(`^${file}:\\d$`));
  });
}

t.test('a machine is asked for keys of the types that it is known by', async (t) => {
  const { known } = await openText(t, `${line('host', rsa, 'ssh-rsa')}\n@revoked ${line('host', ed)}`);
  t.strictSame(known.typesOf('host', 22), ['ssh-rsa']);
  t.strictSame(known.typesOf('elsewhere', 22), []);
});

t.test('what is added is known at once, and one line each, also after a file without an end', async (t) => {
  const { known, file } = await openText(t, line('a', other));
  await Promise.all([known.add('Host', 22, ed), known.add('host', 2222, ed), known.add('host', 22, ed)]);
  t.equal(known.check('host', 22, ed).kind, 'known');
  t.strictSame(readFileSync(file, 'utf8').split('\n'), [
    line('a', other),
    line('host', ed),
    line('[host]:2222', ed),
    '',
  ]);
});

t.test('a hashed name, as ssh-keygen -H writes it', async (t) => {
  // HMAC-SHA1 of "host" under the salt 0123456789abcdefghij
  const hashed = '|1|MDEyMzQ1Njc4OWFiY2RlZmdoaWo=|HASH';
  const { createHmac } = await import('node:crypto');
  const hash = createHmac('sha1', '0123456789abcdefghij').update('host').digest('base64');
  const { known } = await openText(t, line(hashed.replace('HASH', hash), ed));
  t.equal(known.check('host', 22, ed).kind, 'known');
  t.equal(known.check('host2', 22, ed).kind, 'unknown');
});

t.test('a fingerprint is as ssh-keygen -l prints it', async (t) => {
  const [entry] = parseKnownHosts(
    'h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
    'f',
  );
  t.equal(fingerprint(entry?.key ?? Buffer.of()), 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
});
