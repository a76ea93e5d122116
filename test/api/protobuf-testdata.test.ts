// Every kind against upstream's own files: the same object in JSON and in protobuf, each field filled in. The files are
// not part of this repository; they come with Debian's golang-k8s-api-dev, or any copy of k8s.io/api named in
// K8TS_K8S_IO (the folder that holds `api`). Without them this test is skipped.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { allKinds, decodeProtobuf, encodeProtobuf, type KubeObject } from '../../src/api/index.ts';

const root = process.env['K8TS_K8S_IO'] ?? '/usr/share/gocode/src/k8s.io';
const folder = join(root, 'api', 'testdata', 'HEAD');
const skip = existsSync(folder) ? false : `${folder} is not there: install golang-k8s-api-dev or set K8TS_K8S_IO`;

t.test('every kind that upstream has files of', { skip }, async (t) => {
  let compared = 0;
  for (const { group, version, kind } of allKinds) {
    const file = join(folder, `${group === '' ? 'core' : group}.${version}.${kind}`);
    // CustomResourceDefinitions and APIServices are of other modules.
    if (!existsSync(`${file}.pb`)) continue;
    const json = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as KubeObject;
    const protobuf = readFileSync(`${file}.pb`);
    t.strictSame(decodeProtobuf(protobuf), json, `${file}.pb says what ${kind}'s JSON says`);
    t.ok(encodeProtobuf(json).equals(protobuf), `${file}.json becomes the same bytes`);
    compared += 1;
  }
  t.ok(compared > 50, `${compared} kinds were compared`);
});
