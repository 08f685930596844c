/**
 * What is used of Express: the parts of an application, a router, a layer and a route that exist in 4.18 to 5.3. Express
 * declares none of them in its types; `patterns.ts` says which version has which.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a path may be given as: `app.get('/users/:id')`, `app.get(/^\/users/)`. */
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
  /** What `route()` was called with. */
  readonly path: Pattern | readonly Pattern[];
  /** The methods with handlers, in lower case; `_all` where there are handlers for all of them. */
  readonly methods: Readonly<Record<string, boolean>>;
  readonly stack: readonly Layer[];
}

/** One entry of a router's stack: a route, or something that `use` mounted. */
export interface Layer {
  handle: Handle & Partial<Router>;
  readonly name: string;
  readonly route?: Route;
  /** Express 5.3: what `route` or `use` was called with. */
  readonly rawPath?: Pattern | readonly Pattern[];
  /** Express 5: one for each alternative of the path. */
  readonly matchers?: readonly ((
    path: string,
  ) => false | { readonly path: string; readonly params: object })[];
  /** Express 5: whether it is mounted at `/` and so matches everything. */
  readonly slash?: boolean;
  /** Express 4: the path compiled, and the names of its parameters. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean; readonly fast_star?: boolean };
  readonly keys?: readonly { readonly name: string | number; readonly optional?: boolean }[];
}

export interface Router {
  readonly stack: readonly Layer[];
  readonly caseSensitive?: boolean;
  readonly strict?: boolean;
}

/** An Express application, whichever copy of Express made it. */
export interface Application {
  (request: IncomingMessage, response: ServerResponse, next?: Next): unknown;
  handle: (request: Request, response: ServerResponse, next?: Next) => unknown;
  use: (...handlers: readonly unknown[]) => unknown;
  /** The prototype of its responses, from which those of the applications mounted in it inherit. */
  readonly response: ServerResponse;
  /** Express 5; made by the first look at it, with the settings of that moment. */
  readonly router?: Router;
  /** Express 4; there once something was mounted. */
  readonly _router?: Router;
  readonly lazyrouter?: () => void;
  enabled: (setting: string) => boolean;
  /** The application that this one is mounted in. */
  readonly parent?: Application;
  readonly mountpath: string | readonly string[];
  readonly settings: object;
}
