/** Keeps the credentials of URLs out of what is printed and saved. */

/** @returns a text, such as a message, with `***` in the place of whatever looks like `user:password@` */
export function hideCredentials(text: string): string {
  return text.replace(/(["'(]?)(--[\w-]+=|-\w)?(https?:[/\\]*)?\S*:\S*@/gi, '$1$2$3***@');
}

/** @returns an argument of the command line with `***` in the place of the credentials of a URL in it */
export function hideInArgument(argument: string): string {
  return argument.replace(/(https?:[/\\]*).*@/is, '$1***@');
}
