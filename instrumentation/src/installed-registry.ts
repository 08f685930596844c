/** The type of the registry that {@link instrument} creates by default: the class of the installed client library. */

// biome-ignore lint/suspicious/noTsIgnore: an expected error would be one where the library is installed
/** @ts-ignore If it is missing, this is `any`. */
type OfSuccessor = import('@prometheus-io/client').Registry;

// biome-ignore lint/suspicious/noTsIgnore: an expected error would be one where the library is installed
/** @ts-ignore If it is missing, this is `any`. */
type OfPromClient = import('prom-client').Registry;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** `Registry` of `@prometheus-io/client`, or of `prom-client` if only that is installed. */
export type Registry = IsAny<OfSuccessor> extends true ? OfPromClient : OfSuccessor;
