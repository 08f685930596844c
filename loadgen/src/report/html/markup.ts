/** HTML templates: inserted values are escaped, unless they are the result of a template. */

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Content = Markup | string | number | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, n) => `${text}${render(contents[n - 1])}${part}`));
}

function render(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (Array.isArray(content)) return content.map(render).join('');
  return String(content ?? '').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

export interface Row {
  readonly cells: readonly Content[];
  /** The CSS class that highlights the row. */
  readonly mark?: string | undefined;
}

/** A table that scrolls on narrow pages: the first column is left-aligned, all others are right-aligned, for numbers. */
export function table(titles: readonly string[], rows: readonly Row[]): Markup {
  const classOf = (column: number) => new Markup(column > 0 ? ' class=n' : '');
  return html`<div class="scroll"><table>
<thead><tr>${titles.map((title, n) => html`<th${classOf(n)}>${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ cells, mark }) =>
      html`<tr${mark === undefined ? '' : html` class="${mark}"`}>${cells.map((cell, n) => html`<td${classOf(n)}>${cell}</td>`)}</tr>\n`,
  )}</tbody>
</table></div>`;
}
