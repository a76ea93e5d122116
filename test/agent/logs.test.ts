import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { parseLogLine, readLog, tailOfLog } from '../../src/agent/server/log-reader.ts';
import { rotateLog } from '../../src/agent/server/log-rotation.ts';
import { createFakeCri } from '../../src/cri/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'k8ts-logs-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const line = (text: string): string => `2026-01-01T00:00:00.000000000Z stdout F ${text}\n`;
const query = {
  follow: false,
  tailLines: undefined,
  since: undefined,
  timestamps: false,
  limitBytes: undefined,
  stream: undefined,
};

t.test('lines of the runtime', async (t) => {
  t.match(parseLogLine(Buffer.from('T stderr P a b')), {
    time: 'T',
    stream: 'stderr',
    isPartial: true,
    content: Buffer.from('a b'),
  });
  t.equal(parseLogLine(Buffer.from('no log line')), undefined);
});

t.test('the tail of a file that is larger than what is read at once', async (t) => {
  const path = join(dir, 'long.log');
  writeFileSync(path, Array.from({ length: 20_000 }, (_, i) => line(`line ${i}`)).join(''));
  t.equal(await tailOfLog(path, { lines: 2, bytes: 1000 }), 'line 19998\nline 19999\n');
  const many = await tailOfLog(path, { lines: 5000, bytes: 1e9 });
  t.ok(many.startsWith('line 15000\n'));
  t.equal(await tailOfLog(join(dir, 'absent'), { lines: 1, bytes: 1 }), '');
});

t.test('following through a rotation, until the container has ended', async (t) => {
  const path = join(dir, 'follow.log');
  writeFileSync(path, line('one') + line('two').slice(0, -5));
  let over = false;
  const seen: string[] = [];
  const options = { signal: new AbortController().signal, isOver: () => over };
  const reading = (async () => {
    for await (const piece of readLog(path, { ...query, follow: true }, options)) seen.push(piece.toString());
  })();
  const until = async (text: string): Promise<void> => {
    for (let tries = 0; tries < 500 && !seen.join('').endsWith(text); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    t.ok(seen.join('').endsWith(text), text.trim());
  };
  await until('one\n');
  appendFileSync(path, line('two').slice(-5));
  await until('two\n');
  renameSync(path, `${path}.old`);
  appendFileSync(`${path}.old`, line('late'));
  writeFileSync(path, line('new file'));
  await until('late\nnew file\n');
  over = true;
  await reading;
  t.equal(seen.join(''), 'one\ntwo\nlate\nnew file\n');
});

t.test('a follower that goes away ends the reading', async (t) => {
  const path = join(dir, 'left.log');
  writeFileSync(path, '');
  const stop = new AbortController();
  const reading = (async () => {
    for await (const _piece of readLog(path, { ...query, follow: true }, { signal: stop.signal, isOver: () => false }));
  })();
  stop.abort();
  await t.resolves(reading);
});

t.test('rotation', async (t) => {
  const cri = createFakeCri();
  cri.addImage('i');
  const sandbox = await cri.runPodSandbox({ metadata: { uid: 'u' } });
  const id = await cri.createContainer(sandbox, { image: { image: 'i' } }, {});
  await cri.startContainer(id);
  const folder = mkdtempSync(join(dir, 'c-'));
  const logPath = join(folder, '0.log');
  const rotate = async (second: number, text: string): Promise<void> => {
    writeFileSync(logPath, text);
    truncateSync(logPath, 11 * 1024 * 1024);
    await rotateLog(cri, { id, logPath }, Date.UTC(2026, 0, 1, 0, 0, second));
  };
  writeFileSync(logPath, 'small');
  await rotateLog(cri, { id, logPath }, 0);
  t.same(readdirSync(folder), ['0.log'], 'a small one is left alone');
  for (let second = 1; second <= 6; second += 1) await rotate(second, `file ${second}\n`);
  t.same(readdirSync(folder).sort(), [
    '0.log.20260101-000003.gz',
    '0.log.20260101-000004.gz',
    '0.log.20260101-000005.gz',
    '0.log.20260101-000006',
  ]);
  t.match(gunzipSync(readFileSync(join(folder, '0.log.20260101-000005.gz'))).toString(), /^file 5\n/);
  t.equal(cri.calls.filter((call) => call === `reopenContainerLog ${id}`).length, 6);

  cri.fail('reopenContainerLog', new Error('no'));
  await t.rejects(rotate(7, 'kept\n'), { message: 'no' });
  t.ok(existsSync(logPath), 'a file that the runtime still writes to is put back');
});
