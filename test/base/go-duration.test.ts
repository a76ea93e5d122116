import t from 'tap';
import { goDurationMs } from '../../src/base/index.ts';

t.test('what Go reads, and what it does not', async (t) => {
  for (const { text, want } of [
    { text: '0', want: 0 },
    { text: '-0', want: -0 },
    { text: '5s', want: 5000 },
    { text: '+5s', want: 5000 },
    { text: '-1.5h', want: -5_400_000 },
    { text: '.5s', want: 500 },
    { text: '1.s', want: 1000 },
    { text: '1h15m30.918s', want: 4_530_918 },
    { text: '1us', want: 0.001 },
    { text: '1µs', want: 0.001 },
    { text: '1500000ns', want: 1.5 },
    { text: '2562047h', want: 9_223_369_200_000 },
  ]) {
    t.equal(goDurationMs(text), want, text);
  }
  for (const text of ['', '5', '1d', 's', '.s', '1s ', '--1s', '1e3s', '2562048h', `${'9'.repeat(400)}s`]) {
    t.equal(goDurationMs(text), undefined, text);
  }
});
