// Tokens from a file, for clusters that have always had one: lines of `token,user,uid,"group1,group2"`. Only hashes are
// kept. Source: Kubernetes documentation, "Authenticating", static token file.

import { createHash } from 'node:crypto';
import { CodedError } from '../../base/index.ts';
import type { UserInfo } from '../contracts.ts';

export interface StaticTokens {
  authenticate(token: string): UserInfo | undefined;
}

/** Throws CodedError TOKEN_FILE_INVALID with the line. @param text of the file. */
export function parseStaticTokens(text: string): StaticTokens {
  const users = new Map<string, UserInfo>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [token = '', name = '', uid = '', groups = ''] = fieldsOf(line);
    if (token === '' || name === '') {
      throw new CodedError('TOKEN_FILE_INVALID', `line ${index + 1} of the token file names no token or no user`, {
        hint: 'each line must be: token,user,uid,"group1,group2"',
      });
    }
    const listed = groups.split(',').map((group) => group.trim());
    users.set(hashOf(token), { name, ...(uid === '' ? {} : { uid }), groups: listed.filter((group) => group !== '') });
  }
  return { authenticate: (token) => users.get(hashOf(token)) };
}

/** One line of CSV, RFC 4180: quotes around a field with commas, doubled inside. */
function fieldsOf(line: string): readonly string[] {
  const fields = line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...fields].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'),
  );
}

/** Looking up a hash takes the same time whatever the token resembles. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
