// A checkout in small: the layout of a built k8ts with a program of a few KB instead of Node.

import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @param folder empty; answers it */
export function makeCheckout(folder: string, architectures: readonly string[] = ['x64']): string {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('package.json', '{"version":"1.2.3"}');
  write('LICENSE', 'licence');
  write('bin/k8ts', '#!/bin/sh\necho k8ts from $0\n');
  chmodSync(join(folder, 'bin/k8ts'), 0o755);
  write('dist/k8ts.js', 'program');
  write('dist/schemas/core.json', '{}');
  write('dist/.cache/k8ts/bytecode', 'not part of it');
  write('dist/.built', '');
  for (const architecture of architectures) {
    write(`node_modules/node-linux-${architecture}/package.json`, '{"version":"24.0.0"}');
    write(`node_modules/node-linux-${architecture}/LICENSE`, 'licence of Node');
    mkdirSync(join(folder, `node_modules/node-linux-${architecture}/bin`));
    copyFileSync('/bin/echo', join(folder, `node_modules/node-linux-${architecture}/bin/node`));
  }
  return folder;
}
