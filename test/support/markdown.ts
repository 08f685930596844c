/** The code in documents, for tests that run it. */

/** The first block of `language` in `document` that contains `text`. @throws if there is none */
export function blockOf(document: string, language: string, text: string): string {
  const blocks = [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.find(([, tag, body]) => tag === language && body?.includes(text));
  if (!found?.[2]) throw new Error(`the document has no ${language} block with ${text}`);
  return found[2];
}
