import t from 'tap';
import { createLogger } from '../../src/base/index.ts';
import { createFakeCri } from '../../src/cri/index.ts';
import { provideSandboxImage } from '../../src/daemons/sandbox-image.ts';
import { createFakeHost } from '../../src/host/index.ts';

const signal = new AbortController().signal;
const image = 'fake.example/pause:1';

function machine(exitCode = 0) {
  const lines: string[] = [];
  const host = createFakeHost({
    programs: ['ctr'],
    onRun: (_program, args) => (args.includes('import') ? { code: exitCode, stdout: image, stderr: 'no space' } : {}),
  });
  const cri = createFakeCri();
  const logger = createLogger({ write: (line) => lines.push(line) });
  return { deps: { cri, host, criSocket: 'unix:///run/c.sock', logger }, host, cri, lines };
}

t.test('it is imported under the name that the runtime asks for', async (t) => {
  const { deps, host } = machine();
  await provideSandboxImage(deps, signal);
  t.match(host.commands.at(-1), /^ctr .*images import /);
});

t.test('one that is there stays', async (t) => {
  const { deps, host, cri } = machine();
  cri.addImage(image);
  await provideSandboxImage(deps, signal);
  t.strictSame(host.commands, []);
});

t.test('a runtime that does not take it is a warning: it may have a registry', async (t) => {
  const { deps, lines } = machine(1);
  await provideSandboxImage(deps, signal);
  t.match(lines.join(), /"level":"warn".*was not made/);
});
