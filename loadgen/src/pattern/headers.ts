/** Which headers a pattern may set: all but those that say where a request ends. */
import { z } from 'zod';

/** RFC 9110: a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The generator writes the whole of every request itself, so these have one right value or none. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'content-length': 'is reckoned from the body',
  'transfer-encoding': 'bodies are sent with their length, never in chunks',
  trailer: 'bodies are sent with their length, never in chunks',
  upgrade: 'the generator speaks HTTP/1.1 only',
};

export const headersSchema = z
  .record(
    z.string().regex(TOKEN, 'expected a header name'),
    z.string('expected a text').regex(/^[\t\x20-\x7e]*$/, 'expected a header value on one line'),
  )
  .superRefine((headers, context) => {
    const seen = new Set<string>();
    for (const given of Object.keys(headers)) {
      const name = given.toLowerCase();
      const reason = FORBIDDEN[name];
      const refuse = (message: string) => context.addIssue({ code: 'custom', path: [given], message });
      if (reason !== undefined) refuse(`expected no such header: ${reason}`);
      else if (seen.has(name)) refuse('expected each header once: in another case it is the same');
      seen.add(name);
    }
  })
  .meta({
    description:
      'Set in addition to Host and User-Agent, or in their place. Content-Length, Transfer-Encoding, Trailer and Upgrade are not allowed.',
  });
