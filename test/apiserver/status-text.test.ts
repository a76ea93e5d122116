import { STATUS_CODES } from 'node:http';
import t from 'tap';
import { statusText } from '../../src/apiserver/http/status-text.ts';

t.test('the words of status lines are those of Node, or none', async (t) => {
  const known = Object.keys(STATUS_CODES)
    .map(Number)
    .filter((code) => statusText(code) !== '');
  for (const code of known) t.equal(statusText(code), STATUS_CODES[code], `${code}`);
  t.ok(known.length > 20);
  t.equal(statusText(418), '');
});
