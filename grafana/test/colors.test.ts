/** Colours of one family are distinguishable, also with deuteranopia, and visible on dark and light backgrounds. */
import { describe, expect, it } from '@jest/globals';
import Color from 'colorjs.io';
import {
  ANSWER_COLORS,
  inOrder,
  PAIR_COLORS,
  QUANTILE_COLORS,
  ROUTE_COLORS,
  STATE_COLORS,
  WINDOW_COLORS,
} from '../src/colors.ts';

/** The background of Grafana's panels in its two themes. */
const BACKGROUNDS = ['#181b1f', '#ffffff'];

/** Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1. */
const DEUTERANOPIA = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];

function withDeuteranopia(hex: string): Color {
  const [red = 0, green = 0, blue = 0] = new Color(hex).to('srgb-linear').coords.map(Number);
  const seen = DEUTERANOPIA.map(([r = 0, g = 0, b = 0]) => Math.max(0, r * red + g * green + b * blue));
  return new Color('srgb-linear', seen as [number, number, number]);
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

  it.each(pairs)('%s and %s are distinguishable, also with deuteranopia', (a, b) => {
    // CIE76: about 2.3 is just noticeable side by side.
    expect(new Color(a).deltaE(b, '76')).toBeGreaterThan(least);
    expect(withDeuteranopia(a).deltaE(withDeuteranopia(b), '76')).toBeGreaterThan(least);
  });

  it.each(colors)('%s is visible in both themes', (color) => {
    for (const background of BACKGROUNDS)
      expect(new Color(color).contrast(background, 'WCAG21')).toBeGreaterThan(1.6);
  });
});
