/**
 * Objects against the schemas of the API, strictly: a field that a schema does not know is a mistake, as it is to
 * `kubectl apply`. The compiled validators of kubernetes-models let unknown fields pass; but they look at every field that they
 * know. So they are given an object that remembers what was looked at, and what they never looked at is unknown.
 */

interface Model {
  /** Of the object that it is called on, which need not be one that the constructor made: that copies what it is given. */
  readonly prototype: { validate(this: unknown): void };
}

/** @returns what is wrong with the object; nothing when it is as the API wants it */
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

/** For each object, by its path, the fields that the validator has not read. */
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
