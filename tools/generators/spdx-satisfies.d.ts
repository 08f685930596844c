/** The package has no types. */
declare module 'spdx-satisfies' {
  /** Whether the licences in `approved` satisfy `expression`. @throws if that is not an SPDX expression */
  export default function satisfies(expression: string, approved: readonly string[]): boolean;
}
