// The script for zsh: as a file named _k8ts in a folder of $fpath, or sourced.

import { type CompletedCommand, type CompletedFlag, nextWords, pathsOf } from './model.ts';

export function zshScript(commands: readonly CompletedCommand[]): string {
  const paths = pathsOf(commands);
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap((flag) => (flag.value === undefined ? [] : [`    ${patterns(name, flag)}) ${reply(flag)} ;;`])),
  );
  const next = ['', ...paths].map((path) => {
    const flags = commands.find(({ name }) => name === path)?.flags ?? [];
    const described = [
      ...nextWords(commands, path).map(({ word, summary }) => entry(word, summary)),
      ...flags.map(({ name, summary }) => entry(`--${name}`, summary)),
    ];
    return `    (${quote(path)}) choices=(${described.join(' ')}) ;;`;
  });
  return `#compdef k8ts
# To use it now: source <(k8ts completion zsh)
# Always: k8ts completion zsh > "\${fpath[1]}/_k8ts"
_k8ts() {
  local at='' word previous=\${words[CURRENT - 1]}
  local -a choices
  for word in \${words[2,CURRENT - 1]}; do
    case "\${at:+$at }$word" in
      (${paths.map(quote).join('|')}) at="\${at:+$at }$word" ;;
      (*) break ;;
    esac
  done
  case "$at $previous" in
${values.join('\n')}
  esac
  case "$at" in
${next.join('\n')}
  esac
  _describe k8ts choices
}
compdef _k8ts k8ts`;
}

function patterns(command: string, { name, char }: CompletedFlag): string {
  const spelled = [`--${name}`, ...(char === undefined ? [] : [`-${char}`])];
  return `(${spelled.map((flag) => quote(`${command} ${flag}`)).join('|')}`;
}

function reply({ value }: CompletedFlag): string {
  if (value === 'file') return '_files; return';
  if (value === 'text' || value === undefined) return 'return';
  return `compadd -- ${value.map(quote).join(' ')}; return`;
}

/** word:meaning, as _describe wants it. */
function entry(word: string, summary: string): string {
  const escaped = word.replaceAll(':', '\\:');
  return quote(summary === '' ? escaped : `${escaped}:${summary}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
