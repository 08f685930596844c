/** Colours on a terminal, plain text everywhere else. */
import { styleText } from 'node:util';

export type Style = 'red' | 'green' | 'yellow' | 'dim' | 'bold';
export type Paint = (style: Style, text: string) => string;

/** Honours NO_COLOR, FORCE_COLOR and whether the stream is a terminal. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream, validateStream: true });
}

export const plain: Paint = (_style, text) => text;
