// The scripts for shells, run by the shells themselves. bash is everywhere where tests run; zsh and fish are not.

import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { bashScript } from '../../src/commands/completion/bash.ts';
import { fishScript } from '../../src/commands/completion/fish.ts';
import { completedCommands, nextWords } from '../../src/commands/completion/model.ts';
import { zshScript } from '../../src/commands/completion/zsh.ts';
import { commandTable } from '../../src/commands/table.ts';

const commands = await completedCommands(commandTable);

interface Case {
  readonly typed: readonly string[];
  /** What Tab may put in place of the last word, in any order. */
  readonly offers: readonly string[];
}

const cases: readonly Case[] = [
  { typed: ['k8ts', 'jo'], offers: ['join'] },
  { typed: ['k8ts', 'token', ''], offers: ['create', 'delete', 'generate', 'list'] },
  { typed: ['k8ts', 'init', '--dry'], offers: ['--dry-run'] },
  { typed: ['k8ts', 'init', '--service-manager', ''], offers: ['auto', 'supervisor', 'systemd'] },
  { typed: ['k8ts', 'init', '--skip-phases', 'wait'], offers: ['wait-control-plane', 'wait-node'] },
  { typed: ['k8ts', 'init', 'phase', 'wait'], offers: ['wait-control-plane', 'wait-node'] },
  { typed: ['k8ts', 'config', 'print', ''], offers: ['init', 'join'] },
  { typed: ['k8ts', 'completion', ''], offers: ['bash', 'fish', 'zsh'] },
  { typed: ['k8ts', 'init', '--config', '/etc/passw'], offers: ['/etc/passwd'] },
  { typed: ['k8ts', 'init', '--token-ttl', ''], offers: [] },
];

/** Lines that a shell prints. */
function run(shell: string, args: readonly string[], script: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync(shell, [...args, '-c', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${shell} ended with ${status}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

/** For a test's skip: a reason, or false. */
function whyNotInstalled(shell: string): string | false {
  return spawnSync(shell, ['--version']).error === undefined ? false : `${shell} is not installed`;
}

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

t.test('bash', async (t) => {
  const script = bashScript(commands);
  for (const { typed, offers } of cases) {
    const words = [...typed];
    const ask = `${script}\nCOMP_WORDS=(${quoted(words)}); COMP_CWORD=${words.length - 1}; _k8ts 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = run('bash', ['--norc'], ask);
    const exact = typed.includes('--config') ? found.filter((path) => offers.includes(path)) : found;
    t.strictSame([...exact].sort(), offers, typed.join(' '));
  }
  const equals = `${script}\nCOMP_WORDS=(k8ts init --service-manager = sy); COMP_CWORD=4; _k8ts; echo "\${COMPREPLY[@]}"`;
  t.strictSame(run('bash', ['--norc'], equals), ['systemd'], '--flag=value');
});

t.test('zsh', { skip: whyNotInstalled('zsh') }, async (t) => {
  // Its completion system is stood in for: what the script offers is printed.
  const system = `compdef() { : }\n_describe() { print -l -- \${\${(P)2}%%:*} }\ncompadd() { shift; print -l -- $@ }\n_files() { print FILES }\n`;
  for (const { typed, offers } of cases) {
    const script = `${system}${zshScript(commands)}\nwords=(${quoted(typed)}); CURRENT=${typed.length}; _k8ts`;
    const found = run('zsh', ['-f'], script);
    const last = typed.at(-1) ?? '';
    const want = typed.includes('--config') ? ['FILES'] : offers;
    const have = found.filter((word) => word === 'FILES' || word.startsWith(last));
    t.strictSame(have.filter((word) => last !== '' || !word.startsWith('--')).sort(), want, typed.join(' '));
  }
});

t.test('fish', { skip: whyNotInstalled('fish') }, async (t) => {
  for (const { typed, offers } of cases) {
    const script = `${fishScript(commands)}\ncomplete -C '${typed.join(' ')}'`;
    const found = run('fish', ['--no-config'], script);
    const words = found.map((line) => line.split('\t', 1)[0] ?? '');
    const exact = typed.includes('--config') ? words.filter((path) => offers.includes(path)) : words;
    t.strictSame(exact.sort(), offers, typed.join(' '));
  }
});

t.test('every command and every flag is in each script', async (t) => {
  const scripts = { bash: bashScript(commands), zsh: zshScript(commands), fish: fishScript(commands) };
  for (const { name, flags } of commands) {
    for (const [shell, script] of Object.entries(scripts)) {
      if (shell !== 'fish' || flags.length > 0)
        t.match(script, shell === 'fish' ? `'__k8ts_at ${name}'` : `'${name}'`, `${shell}: ${name}`);
      const missing = flags.filter((flag) => !script.includes(shell === 'fish' ? `-l ${flag.name}` : `--${flag.name}`));
      t.strictSame(missing, [], `${shell}: flags of ${name}`);
    }
  }
  const unsupported = commands.flatMap(({ flags }) => flags).filter(({ name }) => name === 'upload-certs');
  t.strictSame(unsupported, [], 'flags that are only refused are not offered');
});

t.test('topics are described by what is below them', async (t: Test) => {
  const words = nextWords(commands, '');
  t.match(words.find(({ word }) => word === 'token')?.summary, 'create, delete, generate, list');
  t.match(words.find(({ word }) => word === 'init')?.summary, 'Make this machine');
});
