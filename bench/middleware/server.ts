/** Serves one variant: `server.ts <name>`. */
import { serve } from '../lib/serve.ts';
import { variants } from './variants.ts';

const [name = ''] = process.argv.slice(2);
const create = variants[name];
if (!create)
  throw new Error(
    `no variant is called ${JSON.stringify(name)}; there are: ${Object.keys(variants).join(', ')}`,
  );
serve(create());
