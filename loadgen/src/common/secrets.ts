/** Keeps the credentials of URLs out of what is printed and saved. */

/** @returns a text, such as a message, with `***` in the place of whatever looks like `user:password@` */
export function hideCredentials(text: string): string {
  return text.replace(CREDENTIALS, '$1$2$3***@');
}

/** They end with a space, unless the text has them in quotes. */
const CREDENTIALS =
  /(["'(]?)(--[\w-]+=|-\w)?(https?:[/\\]*)?(?:(?<=(?:^|[\s(=])["'][^"'\s]*)[^"']*:[^"']*|\S*:\S*)@/gi;

/** @returns an argument of the command line with `***` in the place of the credentials of a URL in it */
export function hideInArgument(argument: string): string {
  return argument.replace(/(https?:[/\\]*).*@/is, '$1***@');
}
