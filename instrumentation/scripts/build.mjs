// Compiles the package twice, for `import` and for `require`, each with its declarations. The old files stay until the new
// ones are complete: tests that run during a build find one or the other.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const built = mkdtempSync(`${folder}dist-`);
try {
  for (const [kind, config] of [
    ['esm', 'tsconfig.json'],
    ['cjs', 'tsconfig.cjs.json'],
  ]) {
    execFileSync('tsc', ['-p', config, '--outDir', `${built}/${kind}`], { cwd: folder, stdio: 'inherit' });
  }
  writeFileSync(`${built}/cjs/package.json`, '{ "type": "commonjs" }\n');
  rmSync(`${folder}dist`, { recursive: true, force: true });
  renameSync(built, `${folder}dist`);
} finally {
  rmSync(built, { recursive: true, force: true });
}
