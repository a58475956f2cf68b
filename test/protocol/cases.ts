/** What is lived through, case by case. */
import { STYLES } from './editors.ts';
import type { Case } from './life.ts';

const PLAIN: Omit<Case, 'name'> = { styles: STYLES, editors: 1, deaths: 'none', exchanges: true, writers: 1, faults: false };

export const CASES: readonly Case[] = [
  ...STYLES.map((style): Case => ({ ...PLAIN, name: style, styles: [style] })),
  ...STYLES.map((style): Case => ({ ...PLAIN, name: `${style}, killed`, styles: [style], deaths: 'kill' })),
  { ...PLAIN, name: 'any, power cut', deaths: 'power' },
  { ...PLAIN, name: 'nobody, power cut', editors: 0, deaths: 'power' },
  { ...PLAIN, name: 'two writers', writers: 2 },
  { ...PLAIN, name: 'two writers, killed', writers: 2, deaths: 'kill' },
  { ...PLAIN, name: 'two writers, power cut', writers: 2, deaths: 'power' },
  { ...PLAIN, name: 'failing calls', faults: true },
  { ...PLAIN, name: 'failing calls, killed', faults: true, deaths: 'kill' },
  { ...PLAIN, name: 'no exchange, in place', exchanges: false, styles: ['truncate', 'late'], deaths: 'kill' },
];
