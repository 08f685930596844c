/** Colours of one family can be told apart, also with deuteranopia, and are visible on dark and light ground. */
import { describe, expect, it } from '@jest/globals';
import {
  ANSWER_COLORS,
  inOrder,
  PAIR_COLORS,
  QUANTILE_COLORS,
  ROUTE_COLORS,
  STATE_COLORS,
  WINDOW_COLORS,
} from '../src/colors.ts';

type Triple = readonly [number, number, number];

/** The background of Grafana's panels in its two themes. */
const GROUNDS = ['#181b1f', '#ffffff'];

const toLinear = (hex: string) =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as unknown as Triple;

const times = (rows: readonly Triple[], [a, b, c]: Triple) =>
  rows.map(([x, y, z]) => x * a + y * b + z * c) as unknown as Triple;

/** Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1. */
const DEUTERANOPIA: readonly Triple[] = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];
/** Linear sRGB to CIE XYZ, in units of the D65 white point. */
const XYZ: readonly Triple[] = [
  [0.4339, 0.3763, 0.1899],
  [0.2126, 0.7152, 0.0722],
  [0.0177, 0.1095, 0.8729],
];

function toLab(linear: Triple): Triple {
  const [x, y, z] = times(XYZ, linear).map((value) => {
    const positive = Math.max(0, value);
    return positive > 0.008856 ? Math.cbrt(positive) : 7.787 * positive + 16 / 116;
  }) as unknown as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE76: about 2.3 is just noticeable side by side. */
const difference = (a: Triple, b: Triple) =>
  Math.hypot(...toLab(a).map((value, i) => value - (toLab(b)[i] ?? 0)));

function contrast(a: string, b: string): number {
  const luminance = (hex: string) => times(XYZ, toLinear(hex))[1];
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const { page: _region, ...states } = STATE_COLORS;
const families = {
  answers: [ANSWER_COLORS, 30],
  quantiles: [QUANTILE_COLORS, 15],
  routes: [ROUTE_COLORS, 25],
  states: [states, 30],
  windows: [WINDOW_COLORS, 10],
  pairs: [PAIR_COLORS, 25],
  'known series': [inOrder('a', 'b', 'c', 'd', 'e', 'f'), 25],
} as const;

describe.each(Object.entries(families))('the colours of %s', (_name, [family, least]) => {
  const colors = Object.values<string>(family);
  const pairs = colors.flatMap((a, i) => colors.slice(i + 1).map((b) => [a, b] as const));

  it.each(pairs)('%s and %s can be told apart, also with deuteranopia', (a, b) => {
    const [first, second] = [toLinear(a), toLinear(b)];
    expect(difference(first, second)).toBeGreaterThan(least);
    expect(difference(times(DEUTERANOPIA, first), times(DEUTERANOPIA, second))).toBeGreaterThan(least);
  });

  it.each(colors)('%s is in sight in both themes', (color) => {
    for (const ground of GROUNDS) expect(contrast(color, ground)).toBeGreaterThan(1.6);
  });
});
