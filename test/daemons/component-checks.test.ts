// Whom ComponentStatus asks: the thread for what it runs, this machine's ports for what it was told to leave out.

import t from 'tap';
import { componentChecks } from '../../src/daemons/component-checks.ts';

const told = (answer: string | undefined) => ({ whyNot: async () => answer });

t.test('what the thread runs is asked of the thread', async (t) => {
  let thread: ReturnType<typeof told> | undefined;
  const checks = componentChecks({ controllers: ['namespace'], scheduler: true }, () => thread);
  t.same(
    checks.map(({ name }) => name),
    ['controller-manager', 'scheduler'],
  );
  const answers = () => Promise.all(checks.map((check) => check.whyNot()));
  t.same(await answers(), ['controller-manager was not started yet', 'scheduler was not started yet']);
  thread = told(undefined);
  t.same(await answers(), [undefined, undefined]);
  thread = told('it is being started');
  t.same(await answers(), ['it is being started', 'it is being started']);
});

t.test('what runs elsewhere is not', async (t) => {
  const checks = componentChecks({ controllers: 'none', scheduler: false }, () => {
    throw new Error('the thread was asked');
  });
  for (const check of checks) await t.resolves(check.whyNot());
});
