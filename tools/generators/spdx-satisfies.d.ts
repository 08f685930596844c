/** The package has no types of its own. */
declare module 'spdx-satisfies' {
  /** Whether the licences of `approved` are enough for what `expression` asks. @throws where that is no SPDX expression */
  export default function satisfies(expression: string, approved: readonly string[]): boolean;
}
