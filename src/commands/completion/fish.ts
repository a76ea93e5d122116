// The script for fish, 3 or newer.

import { type CompletedCommand, type CompletedFlag, nextWords, pathsOf } from './model.ts';

export function fishScript(commands: readonly CompletedCommand[]): string {
  const paths = pathsOf(commands);
  const words = ['', ...paths].flatMap((path) =>
    nextWords(commands, path).map(
      ({ word, summary }) => `complete -c k8ts -f -n ${at(path)} -a ${quote(word)}${described(summary)}`,
    ),
  );
  const flags = commands.flatMap(({ name, flags }) => flags.map((flag) => flagLine(name, flag)));
  return `# To use it now: k8ts completion fish | source
# Always: k8ts completion fish > ~/.config/fish/completions/k8ts.fish
function __k8ts_path
    set -l path
    for word in (commandline -opc)[2..-1]
        set -l next (string join ' ' -- $path $word)
        contains -- $next ${paths.map(quote).join(' ')}; or break
        set path $path $word
    end
    string join ' ' -- $path
end
function __k8ts_at
    set -l path (__k8ts_path)
    test "$path" = "$argv"
end
complete -c k8ts -f
${[...words, ...flags].join('\n')}`;
}

function flagLine(command: string, { name, char, summary, value }: CompletedFlag): string {
  const short = char === undefined ? '' : ` -s ${char}`;
  const takes =
    value === undefined
      ? ''
      : value === 'file'
        ? ' -r -F'
        : value === 'text'
          ? ' -x'
          : ` -x -a ${quote(value.join(' '))}`;
  return `complete -c k8ts -n ${at(command)} -l ${name}${short}${takes}${described(summary)}`;
}

function at(path: string): string {
  return quote(`__k8ts_at ${path}`.trimEnd());
}

function described(summary: string): string {
  return summary === '' ? '' : ` -d ${quote(summary)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
