import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frontMatterEnd, scanSection } from '../../src/tasks/scan.ts';
import { cursorOf } from '../../src/tasks/scan-state.ts';
import type { ScannedSection } from '../../src/tasks/scan-state.ts';
import { referenceScan } from './reference-scan.ts';
import type { Reference, ReferenceTask } from './reference-scan.ts';
import { uglyLines } from './ugly-text.ts';

function scanAll(text: string): ScannedSection[] {
  const sections: ScannedSection[] = [];
  const cursor = cursorOf(text);
  for (let at = 0; at < text.length; at = sections.at(-1)!.end) sections.push(scanSection(text, at, cursor, at === 0 ? frontMatterEnd(text) : at));
  return sections;
}

/** The scanner's answer in the oracle's words. */
function asReference(text: string): Reference {
  const tasks: ReferenceTask[] = [];
  const oddLines: number[] = [];
  const sectionLines: number[] = [];
  let line = 0;
  for (const section of scanAll(text)) {
    if (section.heading) sectionLines.push(line);
    const sectionLine = sectionLines.at(-1);
    for (const head of section.heads) {
      tasks.push({
        line: line + head.line,
        column: head.markerStart - head.start + 1,
        state: head.marker.state,
        id: head.marker.id,
        hash: head.marker.hash,
        note: head.marker.note,
        parentLine: head.parent < 0 ? undefined : line + section.heads[head.parent]!.line,
        phaseLine: head.phase < 0 ? undefined : line + section.phases[head.phase]!.line,
        sectionLine,
        details: head.details.filter(({ kind }) => kind !== 'blank').map((detail) => `${line + detail.line}:${detail.kind}`),
      });
    }
    for (const odd of section.odd) oddLines.push(line + odd.line);
    line += section.lines;
  }
  return { tasks, oddLines, sectionLines };
}

describe('scanner', () => {
  it('1.4-R1 finds the same tasks as a slow scanner written in another way, on ugly text', () => {
    fc.assert(
      fc.property(uglyLines(), (text) => {
        expect(asReference(text)).toEqual(referenceScan(text));
      }),
      { numRuns: Number(process.env.RUNS ?? 3000) },
    );
  });
});
