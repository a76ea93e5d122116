import t from 'tap';
import { formatJoinString, isJoinString, type JoinString, parseJoinString } from '../../src/tokens/index.ts';

const whole: JoinString = {
  endpoints: ['192.0.2.10:6443', 'api.example.org:6443'],
  caCertHashes: [`sha256:${'ab'.repeat(32)}`, `sha256:${'01'.repeat(32)}`],
  token: { id: 'abcdef', secret: '0123456789abcdef' },
  expires: new Date('2030-01-01T00:00:00Z'),
};

t.test('what is formatted can be parsed', async (t) => {
  const cases: readonly JoinString[] = [
    whole,
    { ...whole, expires: undefined },
    { ...whole, caCertHashes: [], endpoints: ['a:1'] },
  ];
  for (const given of cases) {
    const text = formatJoinString(given);
    t.match(text, /^k8ts1-[A-Za-z0-9_-]+$/, 'one word that needs no quotes');
    t.strictSame(parseJoinString(text), given);
    t.ok(isJoinString(text));
  }
  t.notOk(isJoinString('192.0.2.10:6443'));
  t.notOk(isJoinString('k8ts.example.org:6443'));
});

t.test('line breaks of a terminal do no harm', async (t) => {
  const text = formatJoinString(whole);
  t.strictSame(parseJoinString(` ${text.slice(0, 60)}\n   ${text.slice(60)}\n`), whole);
});

t.test('every cut and every changed letter is told', async (t) => {
  const text = formatJoinString({ ...whole, caCertHashes: whole.caCertHashes.slice(0, 1) });
  const damaged = { code: 'JOIN_STRING_DAMAGED', exit: 'invalidInput', hint: /--print-join-string/ };
  for (let length = 6; length < text.length; length += 1) {
    t.throws(() => parseJoinString(text.slice(0, length)), damaged, `cut to ${length}`);
  }
  for (const at of [6, 20, 40, 80, text.length - 3]) {
    const other = text[at] === 'A' ? 'B' : 'A';
    t.throws(() => parseJoinString(text.slice(0, at) + other + text.slice(at + 1)), damaged, `changed at ${at}`);
  }
  t.throws(() => parseJoinString(`${text}!`), damaged);
});

t.test('another version', async (t) => {
  t.throws(() => parseJoinString('k8ts9-abc'), { code: 'JOIN_STRING_VERSION', hint: /print-join-command/ });
});

t.test('no error repeats the secret', async (t) => {
  const text = formatJoinString(whole);
  try {
    parseJoinString(text.slice(0, -5));
    t.fail('must throw');
  } catch (error) {
    t.notMatch(`${error} ${JSON.stringify(error)}`, text.slice(10, 40));
  }
});
