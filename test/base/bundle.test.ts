import t from 'tap';
import { entryPointUrl } from '../../src/base/index.ts';

const cases = [
  { from: 'file:///x/src/store/engine.ts', want: 'file:///x/src/store/worker.ts' },
  { from: 'file:///x/dist/k8ts.js', want: 'file:///x/dist/store-worker.js' },
  { from: 'file:///x/dist/chunks/engine-AB12.js', want: 'file:///x/dist/store-worker.js' },
];
for (const { from, want } of cases) {
  t.equal(entryPointUrl(from, './worker.ts', 'store-worker.js').href, want);
}
