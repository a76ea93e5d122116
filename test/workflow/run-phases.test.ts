import t from 'tap';
import { CodedError } from '../../src/base/index.ts';
import { createReporter, type Phase, runPhases } from '../../src/workflow/index.ts';

interface Context {
  readonly ran: string[];
}

function phase(name: string, more: Partial<Phase<Context>> = {}): Phase<Context> {
  return { name, title: `Doing ${name}`, run: async ({ ran }) => void ran.push(name), ...more };
}

function setup(terminal = false) {
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const reporter = createReporter({ terminal, colours: false, width: 40, write });
  const context: Context = { ran: [] };
  const lines = (): string => printed.replaceAll(/\d+\.\d\d s/g, 'T s');
  return { reporter, context, lines, signal: new AbortController().signal };
}

t.test('phases run in order, each one line with its time', async (t) => {
  const { reporter, context, lines, signal } = setup();
  const noisy = phase('b', { run: async (_context, progress) => progress.report('waiting for x') });
  const times = await runPhases([phase('a'), noisy], context, { reporter, signal });
  t.strictSame(
    times.map(({ name }) => name),
    ['a', 'b'],
  );
  t.equal(lines(), '[a] Doing a … T s\n[b] waiting for x\n[b] Doing b … T s\n');
});

t.test('on a terminal the running phase is one line, cut to fit, replaced by its result', async (t) => {
  const { reporter, context, lines, signal } = setup(true);
  const run: Phase<Context>['run'] = async (_context, progress) => progress.report('x'.repeat(60));
  await runPhases([phase('a', { run })], context, { reporter, signal });
  const erase = '\r\u001b[2K';
  t.equal(lines(), `${erase}[a] Doing a …${erase}[a] Doing a … ${'x'.repeat(24)}…${erase}[a] Doing a … T s\n`);
});

t.test('phases are left out by name, by --only, and by their own reason', async (t) => {
  const { reporter, context, lines, signal } = setup();
  const phases = [phase('a'), phase('b', { skipReason: () => 'done already' }), phase('c'), phase('d')];
  await runPhases(phases, context, { reporter, signal, skip: ['a'], only: ['a', 'b', 'c'] });
  t.strictSame(context.ran, ['c']);
  t.match(lines(), '[a] Doing a … skipped: --skip-phases\n[b] Doing b … skipped: done already\n');
  await t.rejects(runPhases(phases, context, { reporter, signal, skip: ['nope'] }), {
    code: 'PHASE_UNKNOWN',
    hint: 'the phases are: a, b, c, d',
  });
});

t.test('an error names its phase and keeps its code, hint and exit', async (t) => {
  const { reporter, context, lines, signal } = setup();
  const run = async (): Promise<void> => {
    throw new CodedError('PORT_IN_USE', 'port 1 is held', { exit: 'preflight', hint: 'stop it' });
  };
  await t.rejects(runPhases([phase('a', { run }), phase('b')], context, { reporter, signal }), {
    code: 'PORT_IN_USE',
    message: 'phase a: port 1 is held',
    hint: 'stop it',
    exit: 'preflight',
  });
  t.strictSame(context.ran, []);
  t.match(lines(), '[a] Doing a … failed after T s\n');
});

t.test('Ctrl-C ends the running phase and starts no other', async (t) => {
  const { reporter, context } = setup();
  const stop = new AbortController();
  const run: Phase<Context>['run'] = async (_context, { signal }) => {
    stop.abort();
    signal.throwIfAborted();
  };
  const failed = runPhases([phase('a', { run }), phase('b')], context, { reporter, signal: stop.signal });
  await t.rejects(failed, { code: 'INTERRUPTED', message: 'stopped in phase a', hint: /again/ });
  t.strictSame(context.ran, []);
});
