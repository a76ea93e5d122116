// The one place where a command line is made for another machine. SSH sends a command as a single string that the login
// shell there takes apart (RFC 4254 §6.5), so every word is quoted such that any of them gives it back unchanged: sh, bash,
// dash, zsh, busybox, and fish too, where a backslash means something inside single quotes. Leaving quoting to callers was
// refused: one that forgets it runs what a file name says.

/** Nothing that any shell gives a meaning to, not even at the start of a word (~ = - are left out there or harmless). */
const plain = /^[A-Za-z0-9_/.:,@+-]+$/;

/**
 * `words` as one line for a login shell.
 * @throws Error for a NUL, which no argument of a program can hold
 */
export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** `'` ends a quoted part, `\` is special in fish, `!` in csh: these stand outside of the quotes, behind a backslash. */
function quoteWord(word: string): string {
  if (word.includes('\0')) throw new Error('an argument of a program cannot hold a NUL character');
  if (plain.test(word)) return word;
  if (word === '') return "''";
  return word
    .split(/(['\\!])/)
    .filter((part) => part !== '')
    .map((part) => (/^['\\!]$/.test(part) ? `\\${part}` : `'${part}'`))
    .join('');
}
