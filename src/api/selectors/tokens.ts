// Splits a label selector into words and symbols; blanks separate, `=`, `!` and `,()<>` are symbols of their own.
// Source: the lexer of k8s.io/apimachinery pkg/labels.

export interface Token {
  readonly type: 'word' | 'operator' | '!' | ',' | '(' | ')' | 'end';
  readonly text: string;
}

const pattern = /\s*(?:(==|=|!=|>|<)|(!)|(,)|(\()|(\))|([^\s=!,()<>]+))/gy;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [, operator, not, comma, open, close, word] of text.trimEnd().matchAll(pattern)) {
    if (operator !== undefined) tokens.push({ type: 'operator', text: operator });
    else if (not !== undefined) tokens.push({ type: '!', text: not });
    else if (comma !== undefined) tokens.push({ type: ',', text: comma });
    else if (open !== undefined) tokens.push({ type: '(', text: open });
    else if (close !== undefined) tokens.push({ type: ')', text: close });
    else if (word !== undefined) tokens.push({ type: 'word', text: word });
  }
  return tokens;
}
