/** Keeps credentials out of messages and reports. */

/** @returns the text with `***` in place of everything that looks like `user:password@` */
export function hideCredentials(text: string): string {
  return text.replace(CREDENTIALS, '$1$2$3***@');
}

/** Credentials end with a space, unless the text has them in quotes. */
const CREDENTIALS =
  /(["'(]?)(--[\w-]+=|-\w)?(https?:[/\\]*)?(?:(?<=(?:^|[\s(=])["'][^"'\s]*)[^"']*:[^"']*|\S*:\S*)@/gi;

/**
 * @returns the arguments of a command line with `***` in place of the credentials of URLs, the values of headers, and literal bodies
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

/** A flag and its value in one argument. */
const SECRET_VALUE = /^(-[kq]*[Hb]|--(?:header|body)=)(.+)$/s;
