/**
 * The built-in patterns, in the format of pattern files. Each target declares the labels under which the API counts it; the
 * verification relies only on these labels.
 */
import type { PatternInput } from './pattern.ts';

type TargetInput = PatternInput['targets'][number];

const api = {
  getProducts: { method: 'GET', path: '/products', expect: 200, series: { route: 'products' } },
  postProducts: { method: 'POST', path: '/products', expect: 201, series: { route: 'products' } },
  getCart: { method: 'GET', path: '/cart', expect: 200, series: { route: 'cart' } },
  postCart: { method: 'POST', path: '/cart', expect: 201, series: { route: 'cart' } },
  getCars: { method: 'GET', path: '/cars', expect: 200, series: { route: 'cars' } },
  postCars: { method: 'POST', path: '/cars', expect: 200, series: { route: 'cars' } },
  getCar: { method: 'GET', path: '/cars/7', expect: 200, series: { route: 'cars/:id' } },
  patchCar: { method: 'PATCH', path: '/cars/7', expect: 200, series: { route: 'cars/:id' } },
  deleteCar: { method: 'DELETE', path: '/cars/7', expect: 200, series: { route: 'cars/:id' } },
} as const satisfies Record<string, TargetInput>;

/** A path that does not exist. The API counts it as an error and in the duration histogram, as `unmatched`. */
const missing = (n: number): TargetInput => ({
  path: `/missing/${n}`,
  expect: 404,
  series: { route: 'unmatched' },
});

const shop = [
  { ...api.postProducts, weight: 4 },
  { ...api.getProducts, weight: 3 },
  { ...api.getCart, weight: 2 },
  { ...api.postCart, weight: 1 },
];

export const PATTERNS: Readonly<Record<string, PatternInput>> = {
  hundred: {
    description: 'exactly 100 requests to /products and /cart, shuffled',
    targets: [
      { ...api.postProducts, count: 40 },
      { ...api.getProducts, count: 30 },
      { ...api.getCart, count: 20 },
      { ...api.postCart, count: 10 },
    ],
  },
  'not-found': {
    description: 'exactly 33 requests to paths that do not exist, each different',
    targets: Array.from({ length: 33 }, (_, n) => ({ ...missing(n + 1), count: 1 })),
  },
  steady: {
    description: '/products and /cart at a constant 50/s for 30 s',
    stages: [{ duration: '30s', rate: 50 }],
    targets: shop,
    thresholds: ['p99<250ms', 'dropped=0'],
  },
  ramp: {
    description: '/products and /cart from 0 to 200/s in 40 s, then 20 s at 200/s',
    stages: [
      { duration: '40s', rate: { from: 0, to: 200 } },
      { duration: '20s', rate: 200 },
    ],
    targets: shop,
    thresholds: ['p99<250ms', 'dropped=0'],
  },
  rolling: {
    description: '/products and /cart at a constant 500/s for 3 min, while replicas start and stop',
    connections: 4000,
    timeout: '30s',
    stages: [{ duration: '3m', rate: 500 }],
    targets: shop,
    thresholds: ['errors=0', 'dropped=0'],
  },
  spike: {
    description: '/products and /cart at 20/s, with 10 s of 500/s in the middle',
    stages: [
      { duration: '15s', rate: 20 },
      { duration: '2s', rate: { from: 20, to: 500 } },
      { duration: '10s', rate: 500 },
      { duration: '2s', rate: { from: 500, to: 20 } },
      { duration: '15s', rate: 20 },
    ],
    targets: shop,
  },
  mixed: {
    description: 'all routes by weight, 10 % unknown paths, 50/s for 60 s',
    stages: [{ duration: '60s', rate: 50 }],
    targets: [
      ...shop.map((target) => ({ ...target, weight: 5 * target.weight })),
      { ...api.getCars, weight: 20 },
      { ...api.getCar, weight: 10 },
      { ...api.postCars, weight: 4 },
      { ...api.patchCar, weight: 3 },
      { ...api.deleteCar, weight: 3 },
      ...Array.from({ length: 10 }, (_, n) => ({ ...missing(n + 1), weight: 1 })),
    ],
  },
};

/** Names for several patterns, sent one after the other. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  lab: ['hundred', 'not-found'],
};
