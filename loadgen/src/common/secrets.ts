/** Keeps the credentials of URLs out of what is printed and saved. */

/** @returns a text, such as a message, with `***` in the place of whatever looks like `user:password@` */
export function hideCredentials(text: string): string {
  return text.replace(CREDENTIALS, '$1$2$3***@');
}

/** They end with a space, unless the text has them in quotes. */
const CREDENTIALS =
  /(["'(]?)(--[\w-]+=|-\w)?(https?:[/\\]*)?(?:(?<=(?:^|[\s(=])["'][^"'\s]*)[^"']*:[^"']*|\S*:\S*)@/gi;

/**
 * @returns the arguments of a command line with `***` in the place of the credentials of URLs, of the values of headers and
 * of bodies that are written out
 */
export function hideInArguments(args: readonly string[]): string[] {
  return args.map((arg, n) => {
    const [, attached = '', value = arg] = SECRET_VALUE.exec(arg) ?? [];
    const flag = attached || args[n - 1] || '';
    if (/^(-[a-zA-Z]*H|--header=?)$/.test(flag)) return attached + value.replace(/^([^:]*:?).*/s, '$1 ***');
    if (/^(-[a-zA-Z]*b|--body=?)$/.test(flag)) return attached + (value.startsWith('@') ? value : '***');
    return arg.replace(/(https?:[/\\]*).*@/is, '$1***@');
  });
}

/** A flag with its value in one argument. */
const SECRET_VALUE = /^(-[kq]*[Hb]|--(?:header|body)=)(.+)$/s;
