/** Renders terminal output as SVG with real text, for screen readers, search and copying. */

const [CHARACTER_WIDTH, LINE_HEIGHT, PADDING] = [8.4, 20, 16];

/** @param text starts with a prompt and the command, which is also the title for screen readers */
export function toSvg(text: string): string {
  const lines = text.trimEnd().split('\n');
  const title = `A terminal: ${lines[0]?.slice(2)}`;
  const width = Math.ceil(Math.max(...lines.map(({ length }) => length)) * CHARACTER_WIDTH) + 2 * PADDING;
  const height = lines.length * LINE_HEIGHT + 2 * PADDING;
  const rows = lines.map((line, i) => {
    const y = PADDING + (i + 0.75) * LINE_HEIGHT;
    return line === '' ? '' : `  <text x="${PADDING}" y="${y}"${styleOf(line)}>${escaped(line)}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
  <title>${escaped(title)}</title>
  <rect width="100%" height="100%" rx="8" fill="#14171c"/>
  <g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#d6dae0">
${rows.join('')}  </g>
</svg>
`;
}

function styleOf(line: string): string {
  if (line.startsWith('$ ')) return ' fill="#ffffff" font-weight="bold"';
  if (line.startsWith('verified: ') || line.startsWith('Correct.')) return ' fill="#73d98a"';
  if (line.startsWith('Incorrect.')) return ' fill="#ff8f8f"';
  return line.startsWith('- ') || line.startsWith('  done') ? ' fill="#8c96a3"' : '';
}

/** Renderers collapse spaces in spite of `xml:space`, but keep non-breaking ones. */
const escaped = (text: string) =>
  text.replaceAll(' ', '\u00a0').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
