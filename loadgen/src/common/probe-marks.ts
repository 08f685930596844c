/** Paths that no application has: a label value that contains one comes from the URL. */
export const UNKNOWN_BELOW = '/exact-load/nothing';
export const MALFORMED = '/%E0%A4%A';
export const PROBE_MARKS = [UNKNOWN_BELOW, MALFORMED];
