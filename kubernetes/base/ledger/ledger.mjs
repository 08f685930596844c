// @ts-check
/**
 * Stores the records of loads: `PUT /NAME.json` writes one, `DELETE` removes it. Records are files, because the generator reads its ledger
 * from a folder. Shards need a server, because they run on many nodes, and few clusters have storage that several nodes can write to.
 * The program is JavaScript, because it runs from a ConfigMap without a build, and not every build of Node strips types.
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
    // Renamed, so that a reader never sees half a record.
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
// The first process of a container ignores the signal by default.
process.on('SIGTERM', () => process.exit());
