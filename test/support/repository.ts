// What the tests read of the repository itself, so that no fact of the stack stands a second time in a test.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

interface ComposeFile {
  services: Record<string, { command?: string[] }>;
}

/** What docker-compose.yml starts a service with. */
export function composeWords(service: string): string[] {
  const compose = parse(readFileSync(`${repositoryRoot}/docker-compose.yml`, 'utf8')) as ComposeFile;
  const words = compose.services[service]?.command;
  if (!words) throw new Error(`docker-compose.yml: expected a command for the service "${service}"`);
  return words.map((word) => word.replace(/\$\{(\w+)\}/g, (_, name: string) => settingOf(name)));
}

/** An image that this repository builds, as it is called here. */
export const ownImage = (target: 'app' | 'loadgen') => `${settingOf('COMPOSE_PROJECT_NAME')}/${target}`;

/** What .env.local or .env says of a variable, or what the environment sets in its place. */
export function settingOf(variable: string): string {
  const files = ['.env.local', '.env'].map((name) => `${repositoryRoot}/${name}`).filter(existsSync);
  const lines = files.flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  const value =
    process.env[variable] ||
    lines.find((line) => line.startsWith(`${variable}=`))?.slice(variable.length + 1);
  if (!value) throw new Error(`.env: expected a line ${variable}=...`);
  return value;
}
