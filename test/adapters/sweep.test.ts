/**
 * Finding marked processes where there is no /proc: what `ps` prints, read as rows.
 */
import { expect, it } from 'vitest';
import { rowsOfPs, WHOLE } from '../../src/adapters/sweep.ts';

const LISTED = `    1     0     1 Ss     0:01.50 /sbin/launchd
  501     1   501 S      1:02.03 node agent.js PATH=/bin TODONE_RUN=e.1-gx-1 HOME=/h
  502   501   501 R+  1-00:00:10 sh -c x TODONE_RUN=e.1-gx-12 HOME=/h
  503   501   501 Z      0:00.00 (sleep)
  504     1   504 S   01:00:00 sleep 5 TODONE_RUN=e.1-gx-1
`;

it('8-R3 reads processes, their CPU time and their marks from ps', () => {
  const rows = rowsOfPs(LISTED, 'TODONE_RUN=e.');
  expect(rows.map(({ pid, marked }) => [pid, marked])).toEqual([
    [1, false],
    [501, true],
    [502, true],
    [504, true],
  ]);
  expect(rows.map(({ cpuMs }) => cpuMs)).toEqual([1500, 62_030, 86_410_000, 3_600_000]);
});

it('8-R3 tells one mark from another that only begins the same', () => {
  const rows = rowsOfPs(LISTED, `TODONE_RUN=e.1-gx-1${WHOLE}`);
  expect(rows.filter((row) => row.marked).map(({ pid }) => pid)).toEqual([501, 504]);
});
