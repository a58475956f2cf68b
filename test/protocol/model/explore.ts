/**
 * Goes through the schedules of the model: all of them for small bounds, where states that two schedules share are looked at
 * once and their schedules counted; and single ones at random beyond. A schedule = one order of all steps to the end.
 */
import { editorStep } from './editors.ts';
import type { EditorSteps } from './editors.ts';
import { ARCHIVED, at, Bound, contentOf, E_SAVE, firstState, NAMES, OVERWRITTEN, SAVED, TORN } from './state.ts';
import type { State } from './state.ts';
import { isAtRest, litterOf, writerDies, writerStep } from './writers.ts';
import type { Strategy } from './writers.ts';

export type Bounds = { readonly saves: number; readonly writes: number; readonly deaths: number };

export type Explored = {
  /** Every order of steps, also those that share states. */
  readonly schedules: number;
  readonly states: number;
  /** Schedules at whose end something is wrong. */
  readonly bad: number;
  /** Schedules that the model has no room for. */
  readonly cut: number;
  /** The steps of a bad one, the last line says what is wrong. */
  readonly example?: readonly string[];
};

type Next = { readonly state: State; readonly name: string };

function successors(state: State, strategy: Strategy, steps: EditorSteps, saves: number): Next[] {
  return [editorStep(state, steps, saves), writerStep(state, strategy), writerDies(state)].filter((next) => next !== undefined);
}

/** What is wrong at the end of a schedule; undefined where all is well. */
function wrongIn(state: State, saves: number): string | undefined {
  if (at(state, E_SAVE) < saves || !isAtRest(state)) return 'nobody can go on';
  const list = at(state, NAMES.list);
  const text = contentOf(state, list);
  if (list === 0) return 'the list is gone';
  if (text === TORN) return 'the list is cut off';
  const lost = at(state, SAVED) & ~text & ~(at(state, OVERWRITTEN) & at(state, ARCHIVED));
  if (lost !== 0) return `saves lost: ${[1, 2, 3, 4].filter((save) => (lost & (1 << save)) !== 0).join(', ')}`;
  return litterOf(state) > 0 ? 'a file of ours is left beside the list' : undefined;
}

/** `shares` = false goes through each schedule by itself. */
export function exploreAll(strategy: Strategy, steps: EditorSteps, bounds: Bounds, shares = true): Explored {
  const known = new Map<string, { readonly schedules: number; readonly bad: number; readonly cut: number }>();
  const path: string[] = [];
  let example: readonly string[] | undefined;

  const from = (state: State): { readonly schedules: number; readonly bad: number; readonly cut: number } => {
    const key = String.fromCharCode(...state);
    const seen = known.get(key);
    if (seen) return seen;
    const sum = { schedules: 0, bad: 0, cut: 0 };
    let ends = true;
    try {
      for (const next of successors(state, strategy, steps, bounds.saves)) {
        ends = false;
        path.push(next.name);
        const below = from(next.state);
        path.pop();
        sum.schedules += below.schedules;
        sum.bad += below.bad;
        sum.cut += below.cut;
      }
    } catch (error) {
      if (!(error instanceof Bound)) throw error;
      sum.cut++;
      ends = false;
    }
    if (ends) {
      const wrong = wrongIn(state, bounds.saves);
      sum.schedules = 1;
      sum.bad = wrong === undefined ? 0 : 1;
      if (wrong !== undefined && (!example || path.length < example.length)) example = [...path, `→ ${wrong}`];
    }
    if (shares) known.set(key, sum);
    return sum;
  };
  const sum = from(firstState(bounds.writes, bounds.deaths));
  return { ...sum, states: known.size, ...(example && { example }) };
}

/** One schedule; each step chosen by chance, deaths seldom. Gives the steps where its end is wrong. */
export function exploreOne(strategy: Strategy, steps: EditorSteps, bounds: Bounds, random: () => number): readonly string[] | undefined {
  let state = firstState(bounds.writes, bounds.deaths);
  const path: string[] = [];
  for (;;) {
    const edits = (): Next | undefined => editorStep(state, steps, bounds.saves);
    const writes = (): Next | undefined => writerStep(state, strategy);
    const next = (random() < 0.05 ? writerDies(state) : undefined) ?? (random() < 0.5 ? (edits() ?? writes()) : (writes() ?? edits()));
    if (!next) break;
    path.push(next.name);
    state = next.state;
  }
  const wrong = wrongIn(state, bounds.saves);
  return wrong === undefined ? undefined : [...path, `→ ${wrong}`];
}
