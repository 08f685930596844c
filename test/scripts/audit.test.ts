/** What `make audit` makes of each answer that a registry has. */
import { expect, it } from '@jest/globals';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

const FLAW = '{\n  "vulnerabilities": {\n    "lodash": { "severity": "high" }\n  }\n}';
const REFUSED = '{\n  "message": "405 Method Not Allowed - POST",\n  "statusCode": 405\n}';
const UNREACHABLE = '{\n  "error": {\n    "code": "ENOTFOUND",\n    "summary": "getaddrinfo"\n  }\n}';
const LEFT_OUT = 'Left out: known flaws of the dependencies; the registry does not answer';

it.each([
  ['{ "vulnerabilities": {} }', 0, 0, 'No flaw of level high or above is known.\n'],
  [FLAW, 1, 2, expect.stringContaining('"lodash"')],
  [REFUSED, 1, 0, `${LEFT_OUT}: 405 Method Not Allowed - POST.\n`],
  [UNREACHABLE, 1, 0, `${LEFT_OUT}: getaddrinfo.\n`],
  ['', 1, 0, `${LEFT_OUT}.\n`],
])('make audit, where npm answers %j with status %i, ends with %i', async (answer, status, code, out) => {
  await box.program('npm', `printf '%s' '${answer}'; exit ${status}`);
  expect(await box.run('make', ['audit'])).toMatchObject({ code, out });
});
