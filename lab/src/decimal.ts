/** Compares decimal numbers that a learner typed, without rounding: 1e-999 is not 0, 100.00000000000000001 is not 100. */

const DECIMAL = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:e([+-]?\d+))?$/i;

export const isDecimal = (text: string): boolean => DECIMAL.test(text);

/** @returns whether the text is exactly this number in decimal notation; false if the number is not finite */
export function isExactly(text: string, value: number): boolean {
  const given = canonical(text);
  return given !== undefined && given === canonical(String(value));
}

/** The sign, the digits without leading and trailing zeros, and the power of ten of the last digit. */
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
