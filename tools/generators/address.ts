/** The repository's address. `repository.url` of the root package.json defines it; all other places are generated. */
import { read } from '../../test/support/repository.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly repository?: { readonly url: string };
}

const manifest = JSON.parse(read('package.json')) as Manifest & {
  readonly workspaces: readonly string[];
  readonly repository: { readonly url: string };
};

/** The address of the web page: `https://github.com/OWNER/observability-stack`. */
export const address = manifest.repository.url.replace(/^git\+|\.git$/g, '');

/** The published workspaces, according to their package.json. */
export const publicPackages = manifest.workspaces
  .map((folder) => ({ folder, ...(JSON.parse(read(`${folder}/package.json`)) as Manifest) }))
  .filter((workspace) => !workspace.private);

/** The texts by path, with the current address. */
export function filesWithAddress(): Record<string, string> {
  const [, owner = ''] = new URL(address).pathname.split('/');
  const linked = [
    ...['alerts', 'slo'].flatMap((name) => [`prometheus/rules/${name}.yml`, `prometheus/tests/${name}.yml`]),
    '.github/ISSUE_TEMPLATE/config.yml',
    'instrumentation/README.md',
    'loadgen/README.md',
  ];
  return {
    ...Object.fromEntries(
      linked.map((path) => [
        path,
        read(path).replace(/https:\/\/\S+(?=\/(?:blob\/main\/|security\/advisories\/))/g, address),
      ]),
    ),
    '.github/CODEOWNERS': `# Generated from the address in package.json by \`npm run generate\`.\n* @${owner}\n`,
    ...Object.fromEntries(
      publicPackages.map(({ folder }) => {
        const links = {
          repository: { type: 'git', url: manifest.repository.url, directory: folder },
          homepage: `${address}/tree/main/${folder}#readme`,
          bugs: `${address}/issues`,
        };
        const path = `${folder}/package.json`;
        return [path, `${JSON.stringify({ ...JSON.parse(read(path)), ...links }, null, 2)}\n`];
      }),
    ),
  };
}
