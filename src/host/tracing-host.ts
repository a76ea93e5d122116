// -v: the machine below, with every change and every command said before it is made.

import type { Host } from './host.ts';
import { commandLine } from './run-command.ts';

/** @param say gets one line per command and change; secrets are left out */
export function createTracingHost(below: Host, say: (line: string) => void): Host {
  return {
    ...below,
    run(program, args, options) {
      say(`run ${commandLine(program, args)}`);
      return below.run(program, args, options);
    },
    writeFile(path, content, options) {
      say(`write ${path}`);
      return below.writeFile(path, content, options);
    },
    makeDir(path, options) {
      say(`make folder ${path}`);
      return below.makeDir(path, options);
    },
    remove(path, options) {
      say(`remove ${path}`);
      return below.remove(path, options);
    },
    writeSysctl(key, value) {
      say(`set ${key} = ${value}`);
      return below.writeSysctl(key, value);
    },
  };
}
