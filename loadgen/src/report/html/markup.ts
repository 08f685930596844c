/** HTML from templates: what is put into one is escaped, unless it came out of one itself. */

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

export interface Column {
  readonly name: string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
}

/** A table that scrolls by itself where the page is narrow. Rows with `mark` stand out. Most of a large page is tables. */
export function table(
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly Content[]; readonly mark?: string | undefined }[],
): Markup {
  const classOf = (column: Column | undefined) => new Markup(column?.isNumber ? ' class=n' : '');
  return html`<div class="scroll"><table>
<thead><tr>${columns.map((column) => html`<th${classOf(column)}>${column.name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ cells, mark }) =>
      html`<tr${mark === undefined ? '' : html` class="${mark}"`}>${cells.map((cell, n) => html`<td${classOf(columns[n])}>${cell}</td>`)}</tr>\n`,
  )}</tbody>
</table></div>`;
}
