/** Draws the pictures of terminals anew from the texts in docs/pictures. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toSvg } from './terminal.ts';

const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
  const text = readFileSync(folder + name, 'utf8');
  writeFileSync(
    folder + name.replace(/\.txt$/, '.svg'),
    toSvg(text, `A terminal: ${text.split('\n')[0]?.slice(2)}`),
  );
}
