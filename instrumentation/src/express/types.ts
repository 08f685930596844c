/**
 * The parts of Express' applications, routers, layers and routes that this package uses, as they exist in 4.18 to 5.3.
 * Express' types declare none of them; `patterns.ts` documents which version has which.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The forms of a path: `app.get('/users/:id')`, `app.get(/^\/users/)`. */
export type Pattern = string | RegExp;

export type Next = (error?: unknown) => void;
export type Handle = (request: Request, response: ServerResponse, next: Next) => unknown;

/** What Express adds to a request. */
export interface Request extends IncomingMessage {
  readonly app?: Application;
  /** The part of the URL that mounts have consumed, without a trailing slash. */
  readonly baseUrl?: string;
  /** The last route that matched. */
  readonly route?: Route;
}

export interface Route {
  /** The argument of `route()`. */
  readonly path: Pattern | readonly Pattern[];
  /** The methods with handlers, in lower case; `_all` if there are handlers for all of them. */
  readonly methods: Readonly<Record<string, boolean>>;
  readonly stack: readonly Layer[];
}

/** One entry of a router's stack: a route, or something that `use` mounted. */
export interface Layer {
  handle: Handle & Partial<Router>;
  readonly name: string;
  readonly route?: Route;
  /** Express 5.3: the argument of `route` or `use`. */
  readonly rawPath?: Pattern | readonly Pattern[];
  /** Express 5: one for each alternative of the path. */
  readonly matchers?: readonly ((
    path: string,
  ) => false | { readonly path: string; readonly params: object })[];
  /** Express 5: whether the layer is mounted at `/` and therefore matches everything. */
  readonly slash?: boolean;
  /** Express 4: the compiled path, and the names of its parameters. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean; readonly fast_star?: boolean };
  readonly keys?: readonly { readonly name: string | number; readonly optional?: boolean }[];
}

export interface Router {
  readonly stack: readonly Layer[];
  readonly caseSensitive?: boolean;
  readonly strict?: boolean;
}

/** An Express application, from any copy of Express. */
export interface Application {
  (request: IncomingMessage, response: ServerResponse, next?: Next): unknown;
  handle: (request: Request, response: ServerResponse, next?: Next) => unknown;
  use: (...handlers: readonly unknown[]) => unknown;
  /** The prototype of its responses, from which the responses of applications mounted in it inherit. */
  readonly response: ServerResponse;
  /** Express 5; created at the first access, with the settings of that moment. */
  readonly router?: Router;
  /** Express 4; created when something is mounted. */
  readonly _router?: Router;
  readonly lazyrouter?: () => void;
  enabled: (setting: string) => boolean;
  /** The application in which this one is mounted. */
  readonly parent?: Application;
  readonly mountpath: string | readonly string[];
  readonly settings: object;
}
