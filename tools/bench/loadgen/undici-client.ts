/** undici at full speed: `undici-client.ts <url> <connections> <seconds>` prints requests per second. */
import { Client, type Dispatcher } from 'undici';

const [url = '', connections, seconds] = process.argv.slice(2);
const startMs = performance.now();
const endMs = startMs + Number(seconds) * 1000;
let answered = 0;

function load(client: Client): void {
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {
      answered++;
      if (performance.now() < endMs) send();
      else void client.destroy();
    },
    onResponseError(_controller, error) {
      throw error;
    },
  };
  const send = () => client.dispatch({ method: 'GET', path: '/products' }, handler);
  send();
}

for (let n = 0; n < Number(connections); n++) load(new Client(url));
process.once('exit', () => process.stdout.write(`${(answered * 1000) / (performance.now() - startMs)}\n`));
