/**
 * Attaches a recorder to an Express application. Express itself stays unchanged; four functions are replaced: the
 * application's `handle`, through which every request enters; `use`, to observe the arguments of mounts; `detachSocket` of
 * responses, which emits no event; and in each route's layer, the function through which Express enters the route. No
 * handler is wrapped.
 *
 * The recorder surrounds the application. The application therefore cannot prevent a request from being counted,
 * `instrument` may be called at any time, and the duration begins when Node passes the request to the application.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Recorder } from '../recording/recorder.ts';
import type { RouteResolver } from './resolver.ts';
import { isApplication, type ObservedMounts, routerOf } from './route-map.ts';
import type { Application, Next } from './types.ts';

/** Shared by all copies of this package, so that each of them notices a second instrumentation. */
const instrumented = Symbol.for('express-exact-metrics: instrumented');

/** @throws TypeError when `app` is not an Express application; Error when it is already instrumented */
export function checkApplication(app: unknown): asserts app is Application {
  const candidate = app as Partial<Application> | undefined;
  const isExpress =
    typeof app === 'function' &&
    ['handle', 'use', 'settings'].every((name) => candidate?.[name as keyof Application] !== undefined);
  if (!isExpress) {
    const got = app === null ? 'null' : typeof app;
    throw new TypeError(`instrument: expected an Express application (the result of express()), got ${got}`);
  }
  if (Object.hasOwn(app, instrumented)) {
    throw new Error(
      'instrument: this application is already instrumented; call instrument once and keep its result',
    );
  }
}

/** @returns a function that removes the recorder */
export function attach(
  app: Application,
  recorder: Recorder,
  resolver: RouteResolver,
  isSkipped: (request: IncomingMessage) => boolean,
): () => void {
  Object.defineProperty(app, instrumented, { value: true, configurable: true });
  const handle = app.handle;
  app.handle = function handleMeasured(request, response, next) {
    const leave = next && leaving(recorder, response, next);
    if (!isSkipped(request)) recorder.start(request, response, request.baseUrl ?? '');
    resolver.update();
    return handle.call(this, request, response, leave);
  };
  const { response: responses } = app;
  responses.detachSocket = function detachSocketSeen(socket) {
    Object.getPrototypeOf(responses).detachSocket.call(this, socket);
    recorder.detached(this, socket);
  };
  const unwatchMounts = watchMounts(app, resolver.observed);
  const measured = app.handle;
  return () => {
    // If another package has replaced the function since, ours is still called by theirs and counts nothing.
    if (app.handle === measured) app.handle = handle;
    Reflect.deleteProperty(responses, 'detachSocket');
    unwatchMounts();
    Reflect.deleteProperty(app, instrumented);
  };
}

/** Wraps the `next` of a mounted application: the request's further handling in the outer application is not counted here. */
function leaving(recorder: Recorder, response: ServerResponse, next: Next): Next {
  // A handler may pass the request to the application that it is already in.
  const { isOut, outerBaseUrl } = recorder.ongoing(response) ?? { isOut: true, outerBaseUrl: '' };
  return (error) => {
    const ongoing = recorder.ongoing(response);
    if (ongoing) ongoing.outerBaseUrl = outerBaseUrl;
    // If there is an error, the response is the result of this application.
    if (ongoing && !error) ongoing.isOut = isOut;
    next(error);
  };
}

/** Records the arguments of each `use` of `app`. @returns a function that stops it */
function watchMounts(app: Application, observed: ObservedMounts): () => void {
  const use = app.use;
  app.use = function useSeen(...handlers) {
    const result = use.apply(this, [...handlers]);
    const [path, ...rest] = handlers;
    const mounted = (isPath(path) ? rest : handlers).flat(Number.POSITIVE_INFINITY);
    // Uses only the last layers, because the first `use` of Express 4 first adds two internal ones.
    const added = routerOf(app)?.stack.slice(-mounted.length) ?? [];
    added.forEach((layer, i) => {
      observed.givenPaths.set(layer, isPath(path) ? path : '/');
      const application = mounted[i];
      if (isApplication(application)) observed.applications.set(layer, application);
    });
    return result;
  };
  const seen = app.use;
  return () => {
    if (app.use === seen) app.use = use;
  };
}

function isPath(first: unknown): boolean {
  const innermost = Array.isArray(first) ? first.flat(Number.POSITIVE_INFINITY)[0] : first;
  return innermost !== undefined && typeof innermost !== 'function';
}
