import t from 'tap';
import { type KindOf, type KubeObject, kinds, type Pod, type Stored } from '../../src/api/index.ts';
import { type Informer, type InformerFactory, type InformerHandler, keyOf } from '../../src/client/index.ts';
import { podsByController } from '../../src/controllers/pod-state.ts';
import { type AssumingView, createView } from '../../src/controllers/view.ts';
import { pod } from './objects.ts';

/** An informer whose watch the test moves by hand. */
interface SlowWatch {
  readonly view: AssumingView;
  show(object: Stored<Pod>): void;
  showDeleted(object: Stored<Pod>): void;
  advance(ms: number): void;
}

function slowWatch(): SlowWatch {
  const objects = new Map<string, Stored<KubeObject>>();
  const handlers: InformerHandler<KubeObject>[] = [];
  const indexes = new Map<string, (object: Stored<KubeObject>) => readonly string[]>();
  const informer: Informer<KubeObject> = {
    kind: kinds.pod,
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    byIndex: (name, value) => [...objects.values()].filter((one) => indexes.get(name)?.(one).includes(value)),
    addIndex: (name, valuesOf) => void indexes.set(name, valuesOf),
    addHandler: (handler) => void handlers.push(handler),
    synced: async () => undefined,
  };
  const factory: InformerFactory = {
    informer: <T extends KubeObject>(_kind: KindOf<T>) => informer as unknown as Informer<T>,
    start: async () => undefined,
    forget: () => undefined,
  };
  let time = 0;
  const view = createView(factory, () => time);
  view.addIndex(podsByController);
  return {
    view,
    show(object) {
      const previous = objects.get(keyOf(object));
      objects.set(keyOf(object), object);
      for (const handler of handlers) {
        if (previous === undefined) handler.added?.(object);
        else handler.updated?.(object, previous);
      }
    },
    showDeleted(object) {
      objects.delete(keyOf(object));
      for (const handler of handlers) handler.deleted?.(object);
    },
    advance(ms) {
      time += ms;
    },
  };
}

function at(revision: number, object: Stored<Pod>, ownerUid = 'set'): Stored<Pod> {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 's', uid: ownerUid, controller: true }];
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision), ownerReferences } };
}

t.test('a creation that the watch does not show yet is read as if it did', async (t) => {
  const { view, show } = slowWatch();
  show(at(5, pod({ name: 'a' })));
  view.assume(kinds.pod, at(9, pod({ name: 'b' })));
  t.same(
    view.list(kinds.pod).map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
  t.equal(view.byIndex(podsByController, 'set').length, 2);
  t.equal(view.byIndex(podsByController, 'other').length, 0);
  t.equal(view.get(kinds.pod, 'default/b')?.metadata.resourceVersion, '9');
  show(at(9, pod({ name: 'b' })));
  t.equal(view.assumptions, 0);
  t.equal(view.list(kinds.pod).length, 2);
});

t.test('an answer that is older than what the watch showed is not kept', async (t) => {
  const { view, show } = slowWatch();
  show(at(12, pod({ name: 'a' })));
  view.assume(kinds.pod, at(9, pod({ name: 'a' })));
  t.equal(view.assumptions, 0);
  t.equal(view.get(kinds.pod, 'default/a')?.metadata.resourceVersion, '12');
});

t.test('a later event of another object says that the creation was shown, or is gone already', async (t) => {
  const { view, show } = slowWatch();
  view.assume(kinds.pod, at(9, pod({ name: 'b' })));
  show(at(8, pod({ name: 'a' })));
  t.equal(view.assumptions, 1);
  show(at(10, pod({ name: 'c' })));
  t.equal(view.assumptions, 0);
});

t.test('an accepted deletion reads as deleting until the watch says so itself', async (t) => {
  const { view, show, showDeleted } = slowWatch();
  show(at(5, pod({ name: 'a' })));
  view.assumeDeleted(kinds.pod, at(5, pod({ name: 'a' })));
  t.ok(view.get(kinds.pod, 'default/a')?.metadata.deletionTimestamp);
  show(at(7, pod({ name: 'other' })));
  show(at(8, pod({ name: 'a', ready: true })));
  t.ok(
    view.get(kinds.pod, 'default/a')?.metadata.deletionTimestamp,
    'a status written before the deletion changes nothing',
  );
  showDeleted(at(9, pod({ name: 'a' })));
  t.equal(view.get(kinds.pod, 'default/a'), undefined);
  t.equal(view.assumptions, 0);
  t.ok(view.wasDeleted('uid-a'));
});

t.test('a successor of the same name is not taken for the one that was deleted', async (t) => {
  const { view, show } = slowWatch();
  const first = at(5, pod({ name: 'a' }));
  show(first);
  view.assumeDeleted(kinds.pod, first);
  show({ ...at(9, pod({ name: 'a' })), metadata: { ...at(9, pod({ name: 'a' })).metadata, uid: 'second' } });
  t.equal(view.get(kinds.pod, 'default/a')?.metadata.deletionTimestamp, undefined);
});

t.test('an assumption that nothing confirms ends after five minutes', async (t) => {
  const { view, advance } = slowWatch();
  view.assume(kinds.pod, at(9, pod({ name: 'b' })));
  advance(5 * 60_000 + 1);
  t.equal(view.get(kinds.pod, 'default/b'), undefined);
});

t.test('a kind that no controller declared cannot be read', async (t) => {
  const { view } = slowWatch();
  t.throws(() => view.get(kinds.secret, 'a/b'), { message: /Secret/ });
});
