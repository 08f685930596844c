/**
 * Validates objects strictly against the schemas of the API: an unknown field is a mistake, as for `kubectl apply`. The compiled
 * validators of kubernetes-models accept unknown fields, but read every known one. So they get an object that records reads, and
 * every field that they do not read is unknown.
 */

interface Model {
  /** Validates the object it is called on. Called without the constructor, which would copy the object. */
  readonly prototype: { validate(this: unknown): void };
}

/** @returns the problems of the object; none if it is valid */
export async function problemsOf(object: {
  readonly apiVersion: string;
  readonly kind: string;
}): Promise<string[]> {
  const { apiVersion, kind } = object;
  const library = apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  const models = (await import(`${library}/${apiVersion}`)) as Record<string, Model>;
  const model = models[kind];
  if (!model) return [`the API has no ${kind} in ${apiVersion}`];
  const unread: Unread = new Map();
  try {
    model.prototype.validate.call(watch(object, '', unread));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [...unread].flatMap(([path, keys]) => [...keys].map((key) => `${path}/${key}: no such field`));
}

/** The fields that the validator has not read, by the path of their object. */
type Unread = Map<string, Set<string>>;

function watch(value: unknown, path: string, unread: Unread): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item, n) => watch(item, `${path}/${n}`, unread));
  const children = Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, watch(child, `${path}/${key}`, unread)]),
  );
  const left = new Set(Object.keys(children));
  unread.set(path, left);
  return new Proxy(children, {
    get(target, key) {
      if (typeof key === 'string') left.delete(key);
      return Reflect.get(target, key);
    },
  });
}
