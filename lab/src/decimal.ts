/** Decimal numbers as a learner types them, compared without rounding: 1e-999 is not 0, 100.00000000000000001 is not 100. */

const DECIMAL = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:e([+-]?\d+))?$/i;

export const isDecimal = (text: string): boolean => DECIMAL.test(text);

/** @returns whether the text is exactly the decimal of this number; false for what is no finite number */
export function isExactly(text: string, value: number): boolean {
  const given = canonical(text);
  return given !== undefined && given === canonical(String(value));
}

/** The sign, the digits without zeros at either end, and the power of ten of the last one. */
function canonical(text: string): string | undefined {
  const [, sign, mantissa = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}
