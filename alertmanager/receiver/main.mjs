// @ts-check
/** Starts the alert receiver: `node main.mjs <runbook.md>`, on the port in ALERT_RECEIVER_PORT (9094). */
import { readFileSync } from 'node:fs';
import { createReceiver } from './receiver.mjs';

const port = Number(process.env.ALERT_RECEIVER_PORT ?? 9094);
const [runbookPath] = process.argv.slice(2);
if (!runbookPath || !Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('usage: node main.mjs <runbook.md>\nALERT_RECEIVER_PORT: expected a port, 0-65535');
  process.exit(2);
}

const server = createReceiver({ runbook: readFileSync(runbookPath, 'utf8'), log: console.log });
server.listen(port, () => {
  const address = server.address();
  console.log(`alerts are shown on port ${typeof address === 'object' ? address?.port : address}`);
});
// Nothing is lost by cutting: Alertmanager sends again what was not answered.
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
