import { execFileSync } from 'node:child_process';
import t from 'tap';
import { quoteCommand } from '../../src/host/ssh-quote.ts';

const words = [
  'plain/word_1.2:3,4@5+6-7',
  '',
  ' ',
  "it's",
  "''",
  '"double"',
  '$HOME $(id) `id`',
  'a;b&c|d>e<f',
  '*?[a-z]{1,2}~',
  '~root',
  '=ls',
  '#comment',
  'back\\slash\\\\',
  "\\'",
  '!history!!',
  'two\nlines',
  'tab\there',
  'ünïcödé',
  '-n',
  '%s',
];

for (const shell of [
  ['sh', '-c'],
  ['bash', '-c'],
  ['busybox', 'sh', '-c'],
]) {
  t.test(`${shell.join(' ')} gives every word back as it was`, async (t) => {
    const [program = '', ...args] = shell;
    const out = execFileSync(program, [...args, quoteCommand(['printf', '%s\\0', ...words])], { encoding: 'utf8' });
    t.strictSame(out.split('\0').slice(0, -1), words);
  });
}

t.test('what means something to fish and csh inside of quotes stands outside', async (t) => {
  t.equal(quoteCommand(["a'b\\c!d"]), "'a'\\''b'\\\\'c'\\!'d'");
  t.equal(quoteCommand(['ls', '-l', '/etc']), 'ls -l /etc');
});

t.test('a NUL is refused', async (t) => {
  t.throws(() => quoteCommand(['a\0b']), /NUL/);
});
