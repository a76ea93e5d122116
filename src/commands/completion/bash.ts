// The script for bash, 4 or newer; it needs nothing of the bash-completion package.

import { type CompletedCommand, type CompletedFlag, nextWords, pathsOf } from './model.ts';

export function bashScript(commands: readonly CompletedCommand[]): string {
  const paths = pathsOf(commands);
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap((flag) => (flag.value === undefined ? [] : [`    ${patterns(name, flag)}) ${reply(flag)} ;;`])),
  );
  const next = ['', ...paths].map((path) => {
    const flags = commands.find(({ name }) => name === path)?.flags.map(({ name }) => `--${name}`) ?? ['--help'];
    const words = nextWords(commands, path).map(({ word }) => word);
    return `    ${quote(path)}) words=${quote(words.join(' '))} flags=${quote(flags.join(' '))} ;;`;
  });
  return `# To use it now: source <(k8ts completion bash)
# Always: k8ts completion bash > /etc/bash_completion.d/k8ts
_k8ts() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path='' words='' flags='' word
  COMPREPLY=()
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.map(quote).join(' | ')}) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path $prev" in
${values.join('\n')}
  esac
  case "$path" in
${next.join('\n')}
  esac
  if [[ $cur == -* ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _k8ts k8ts`;
}

function patterns(command: string, { name, char }: CompletedFlag): string {
  const spelled = [`--${name}`, ...(char === undefined ? [] : [`-${char}`])];
  return spelled.map((flag) => quote(`${command} ${flag}`)).join(' | ');
}

function reply({ value }: CompletedFlag): string {
  if (value === 'file') return 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return';
  if (value === 'text' || value === undefined) return 'return';
  return `COMPREPLY=($(compgen -W ${quote(value.join(' '))} -- "$cur")); return`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
