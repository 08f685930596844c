// @ts-check
/**
 * Keeps the records of loads: `PUT /NAME.json` writes one, `DELETE` removes it. Files, because that is the ledger that the generator
 * reads; a server, because shards run on many nodes, and no storage that several nodes may write to exists everywhere.
 * JavaScript, because it runs as it is, from a ConfigMap, and not every build of Node strips types.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const { LEDGER = '/var/lib/loadgen', PORT = '8080' } = process.env;

/** @param {import('node:http').IncomingMessage} request @returns {Promise<number>} the status */
async function handle(request) {
  const [, name] = /^\/([\w-]+\.json)$/.exec(request.url ?? '') ?? [];
  if (name === undefined) return request.url === '/' ? 200 : 404;
  const path = `${LEDGER}/${name}`;
  if (request.method === 'DELETE') await rm(path, { force: true });
  else if (request.method !== 'PUT') return 405;
  else {
    // Whole or not at all: a record is read while others arrive.
    await writeFile(`${path}.new`, await buffer(request));
    await rename(`${path}.new`, path);
  }
  return 204;
}

createServer(async (request, response) => {
  const status = await handle(request).catch((error) => {
    console.error(`${request.method} ${request.url}: ${error}`);
    return 500;
  });
  response.writeHead(status).end();
}).listen(Number(PORT));
// As the first process of its container it would ignore the signal.
process.on('SIGTERM', () => process.exit());
