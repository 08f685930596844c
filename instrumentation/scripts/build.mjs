// Compiles the package twice, for `import` and for `require`, each with its declarations.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${folder}/dist`, { recursive: true, force: true });
for (const config of ['tsconfig.json', 'tsconfig.cjs.json']) {
  execFileSync('tsc', ['-p', config], { cwd: folder, stdio: 'inherit' });
}
writeFileSync(`${folder}/dist/cjs/package.json`, '{ "type": "commonjs" }\n');
