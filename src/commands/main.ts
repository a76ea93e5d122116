// Where `k8ts` starts. `--version` is answered before anything large is loaded; this is also the one place that prints an
// error and the one place that exits.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import pkg from '../../package.json' with { type: 'json' };

// Beside the program, so that it belongs to whoever owns that: the default, a folder in /tmp that anyone may make first,
// would let other users hand code to root.
// Portable, so that it goes along when the program is copied to where it is installed.
enableCompileCache({
  directory: join(
    import.meta.dirname,
    import.meta.filename.endsWith('.ts') ? '../../node_modules' : '.',
    '.cache/k8ts',
  ),
  portable: true,
});
const [first, ...rest] = process.argv.slice(2);
if (rest.length === 0 && (first === '--version' || first === 'version')) {
  process.stdout.write(`k8ts ${pkg.version}\n`);
} else {
  const { main } = await import('./dispatch.ts');
  process.exitCode = await main(process.argv.slice(2), pkg.version);
  process.exit();
}
