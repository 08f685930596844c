// Reads facts of the stack from the repository, so that no test repeats them.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** Ends in a slash. */
export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The text of a file of the repository. */
export const read = (path: string): string => readFileSync(repositoryRoot + path, 'utf8');
export const namesIn = (folder: string, recursive = false): string[] =>
  (readdirSync(repositoryRoot + folder, { recursive }) as string[]).sort();

/** The files that git tracks and that exist. */
export const trackedFiles = (): string[] =>
  execFileSync('git', ['ls-files'], { cwd: repositoryRoot, encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((file) => existsSync(repositoryRoot + file));

/** The file's settings; none if it does not exist. */
const settingsIn = (path: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (existsSync(repositoryRoot + path) ? [...read(path).matchAll(/^([A-Z_]+)=(.*)$/gm)] : []).map(
      ([, name = '', value = '']) => [name, value],
    ),
  );

/** The settings of .env, regardless of the environment. */
export const defaults = settingsIn('.env');

/** The value of a variable in the environment, or else in .env.local, or else in .env. */
export function settingOf(variable: string): string {
  const value = process.env[variable] || { ...defaults, ...settingsIn('.env.local') }[variable];
  if (value === undefined) throw new Error(`.env: expected a line ${variable}=...`);
  return value;
}

interface ComposeFile {
  services: Record<
    string,
    {
      command?: string[];
      user?: string;
      mem_limit: string;
      volumes?: string[];
      environment?: Record<string, string>;
    }
  >;
}
export const { services } = parse(read('docker-compose.yml'), { merge: true }) as ComposeFile;

/** The changes of docker-compose.remote-write.yml to Prometheus; unset variables are empty. */
export const remoteWriteOverride: {
  readonly entrypoint: string[];
  readonly environment: Record<string, string>;
  readonly tmpfs: string[];
} = parse(
  read('docker-compose.remote-write.yml').replace(/\$\{(\w+)\}/g, (_, name) => defaults[name] || "''"),
).services.prometheus;

/** The command that docker-compose.yml gives a service. */
export function composeWords(service: string): string[] {
  const words = services[service]?.command;
  if (!words) throw new Error(`docker-compose.yml: expected a command for the service "${service}"`);
  return words.map((word) => word.replace(/\$\{(\w+)\}/g, (_, name: string) => settingOf(name)));
}

/** The local name of an image that this repository builds. */
export const ownImage = (target: 'app' | 'loadgen') => `${settingOf('COMPOSE_PROJECT_NAME')}/${target}`;
