/** Commits as fast as it can and says each number after its commit: to be killed at any moment. */
import { writeSync } from 'node:fs';
import { openJournal } from '../../../src/adapters/sqlite.ts';
import { changes, historyRow, known, run } from '../journal-rows.ts';

const journal = openJournal({ stateDir: process.argv[2] ?? '', term: 1000, now: Date.now });
const before = journal.load().known[0]?.ticket ?? 0;
for (let n = before + 1; ; n++) {
  const id = 'gaaaaaaa';
  journal.commit(
    changes({
      known: [known(id, { ticket: n, evidence: 'x'.repeat(n % 5000) })],
      runs: [[id, n % 3 === 0 ? null : run(id, { ticket: n })]],
      meta: [['last', String(n)]],
      history: [historyRow(id, n)],
    }),
  );
  writeSync(1, `${n}\n`);
}
