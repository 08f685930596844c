/** The type of the registry that {@link instrument} makes where it is given none: the class of the client library that is installed. */

// biome-ignore lint/suspicious/noTsIgnore: an expected error would be one where the library is installed
/** @ts-ignore Where it is missing, this is `any`. */
type OfSuccessor = import('@prometheus-io/client').Registry;

// biome-ignore lint/suspicious/noTsIgnore: an expected error would be one where the library is installed
/** @ts-ignore Where it is missing, this is `any`. */
type OfPromClient = import('prom-client').Registry;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** `Registry` of `@prometheus-io/client`, or of `prom-client` where only that is installed. */
export type Registry = IsAny<OfSuccessor> extends true ? OfPromClient : OfSuccessor;
