// Label and field selectors: what they match, and upstream's words for what cannot be understood.

import t from 'tap';
import {
  compileLabelMap,
  compileLabelSelector,
  formatLabelSelector,
  kinds,
  type Labels,
  type Pod,
  parseFieldSelector,
  parseLabelSelector,
} from '../../src/api/index.ts';

const web: Labels = { app: 'web', tier: 'front', weight: '7' };

const matching: readonly (readonly [selector: string, labels: Labels | undefined, want: boolean])[] = [
  ['', web, true],
  ['', undefined, true],
  ['app=web', web, true],
  ['app==web', web, true],
  ['app=db', web, false],
  ['app!=db', web, true],
  ['none!=db', web, true],
  ['app', web, true],
  ['none', web, false],
  ['!none', web, true],
  ['!app', web, false],
  ['app in (web, db)', web, true],
  ['app notin (web,db)', web, false],
  ['none notin (web)', web, true],
  ['none in (web)', undefined, false],
  ['app=web,tier=front', web, true],
  ['app=web,tier=back', web, false],
  ['weight>6', web, true],
  ['weight<7', web, false],
  ['app>1', web, false],
  ['app=', { app: '' }, true],
  ['app=', {}, false],
  ['toString', {}, false],
  ['in=notin', { in: 'notin' }, true],
];

t.test('a label selector matches what upstream says it matches', async (t) => {
  for (const [selector, labels, want] of matching) {
    t.equal(parseLabelSelector(selector).matches(labels), want, `${selector} on ${JSON.stringify(labels)}`);
  }
});

const broken: readonly (readonly [selector: string, message: string])[] = [
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a,', "found '', expected: identifier after ','"],
  [',a', "found ',', expected: !, identifier, or 'end of string'"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a in (b,', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['!', "unable to parse requirement: found '', expected: identifier"],
];

t.test('what cannot be parsed is told in upstream words', async (t) => {
  for (const [selector, message] of broken) t.throws(() => parseLabelSelector(selector), { message }, selector);
  t.throws(() => parseLabelSelector('-a=b'), { message: /name part must consist of alphanumeric/ });
  t.throws(() => parseLabelSelector(`a=${'x'.repeat(64)}`), { message: /must be no more than 63 bytes/ });
  t.throws(() => parseLabelSelector('a>b'), { message: /the value must be an integer/ });
});

t.test('a selector object: absent selects nothing, empty selects everything', async (t) => {
  t.equal(compileLabelSelector(undefined).matches(web), false);
  t.equal(compileLabelSelector({}).matches(web), true);
  const selector = compileLabelSelector({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  t.equal(selector.matches(web), true);
  t.equal(selector.matches({ ...web, old: 'x' }), false);
  t.equal(formatLabelSelector(selector.requirements), 'app=web,!old,tier in (back,front)');
  t.throws(() => compileLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), {
    message: '"Like" is not a valid label selector operator',
  });
  t.equal(compileLabelMap({}).matches(web), false, 'an empty Service selector selects nothing');
  t.equal(compileLabelMap({ app: 'web' }).matches(web), true);
});

t.test('field selectors know the keys of their kind', async (t) => {
  const pod: Pod = {
    metadata: { name: 'a,b', namespace: 'x' },
    spec: { nodeName: 'n1', containers: [] },
    status: { phase: 'Running' },
  };
  const matches = (text: string): boolean => parseFieldSelector(kinds.pod, text).matches(pod);
  t.equal(matches('spec.nodeName=n1,status.phase!=Failed'), true);
  t.equal(matches('spec.nodeName==n2'), false);
  t.equal(matches('metadata.name=a\\,b'), true);
  t.equal(matches('spec.schedulerName='), true);
  t.equal(matches(''), true);
  t.throws(() => matches('spec.foo=1'), { message: 'field label not supported: spec.foo' });
  t.throws(() => matches('toString=1'), { message: 'field label not supported: toString' });
  t.throws(() => matches('spec.nodeName'), {
    message: "invalid selector: 'spec.nodeName'; can't understand 'spec.nodeName'",
  });
});
