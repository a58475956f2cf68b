/** One contract for Workspaces and Landing, run on the twins in memory and on real git. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Landing, LandingOrder, WorkOrder, Workspaces } from '../../src/engine/ports.ts';

export type Bed = {
  readonly workspaces: Workspaces;
  readonly landing: Landing;
  /** An agent's change of a file; undefined removes it. */
  put(workspace: string, path: string, text: string | undefined): void;
  text(workspace: string, path: string): string | undefined;
  /** Commits on the section's branch since the base, oldest first. */
  landed(section: string): readonly string[];
  lose(workspace: string): void;
  close(): void;
};

const never = new AbortController().signal;
let count = 0;

function orderOf(more: Partial<WorkOrder> = {}): WorkOrder {
  count += 1;
  return { id: `k${String(count).padStart(7, '0')}`, ticket: count, attempt: 1, section: 'feature', slot: 1, ...more };
}

/** The repository of the bed holds `README.md` and `notes.txt` ("one\n"). */
export function gitPortsContract(name: string, makeBed: () => Promise<Bed>): void {
  describe(`Workspaces and Landing: ${name}`, () => {
    let bed: Bed;
    beforeEach(async () => {
      bed = await makeBed();
    });
    afterEach(() => bed.close());

    const begin = async (order: WorkOrder, from?: string): Promise<LandingOrder> => {
      const prepared = await bed.workspaces.prepare(order, from, never);
      if (prepared.kind !== 'ready') throw new Error(prepared.message);
      return { ...order, workspace: prepared.workspace, start: prepared.start, title: 'A task', message: 'Do it', agent: 'script', noCommit: false };
    };
    const land = async (order: LandingOrder): Promise<string> => {
      const squashed = await bed.landing.squash(order);
      if (squashed.kind !== 'commit') throw new Error(JSON.stringify(squashed));
      const advanced = await bed.landing.advance(order, squashed.tip, squashed.commit);
      if (advanced.kind !== 'landed') throw new Error(JSON.stringify(advanced));
      return advanced.commit;
    };

    it('4-R3 prepares a clean workspace at the tip, the same again for the same run', async () => {
      const order = await begin(orderOf());
      expect(bed.text(order.workspace, 'notes.txt')).toBe('one\n');
      bed.put(order.workspace, 'half.txt', 'half\n');
      const again = await begin(order);
      expect(again.workspace).toBe(order.workspace);
      expect(again.start).toBe(order.start);
      expect(bed.text(order.workspace, 'half.txt')).toBe('half\n');
    });

    it('4-R6 lands one commit, and says so when asked again', async () => {
      const order = await begin(orderOf());
      bed.put(order.workspace, 'new.txt', 'new\n');
      const squashed = await bed.landing.squash(order);
      if (squashed.kind !== 'commit') throw new Error(JSON.stringify(squashed));
      const first = await bed.landing.advance(order, squashed.tip, squashed.commit);
      const second = await bed.landing.advance(order, squashed.tip, squashed.commit);
      expect(first).toEqual(second);
      expect(bed.landed('feature')).toEqual([squashed.commit]);
      expect(await bed.landing.squash(order)).toMatchObject({ kind: 'landed', commit: squashed.commit });
      expect(await bed.landing.proof('feature', order.id)).toMatchObject({ commit: squashed.commit });
      expect(await bed.landing.proof('feature', 'nobody')).toBeUndefined();
    });

    it('4-R6 finds no change empty', async () => {
      const order = await begin(orderOf());
      expect((await bed.landing.squash(order)).kind).toBe('empty');
    });

    it('4-R6 lands a task that is done again', async () => {
      const id = 'kredo000';
      const first = await begin(orderOf({ id }));
      bed.put(first.workspace, 'a.txt', 'a\n');
      await land(first);
      await bed.workspaces.release(first, first.workspace, never);
      const second = await begin(orderOf({ id }));
      bed.put(second.workspace, 'a.txt', 'b\n');
      const commit = await land(second);
      expect(bed.landed('feature')).toHaveLength(2);
      expect(await bed.landing.proof('feature', id)).toMatchObject({ commit });
    });

    it('4-R6 lands two tasks of one section that ran side by side', async () => {
      const one = await begin(orderOf());
      const two = await begin(orderOf({ slot: 2 }));
      expect(two.workspace).not.toBe(one.workspace);
      bed.put(one.workspace, 'one.txt', '1\n');
      bed.put(two.workspace, 'two.txt', '2\n');
      const squashedTwo = await bed.landing.squash(two);
      if (squashedTwo.kind !== 'commit') throw new Error(JSON.stringify(squashedTwo));
      await land(one);
      expect(await bed.landing.advance(two, squashedTwo.tip, squashedTwo.commit)).toEqual({ kind: 'moved' });
      await land(two);
      expect(bed.landed('feature')).toHaveLength(2);
      const three = await begin(orderOf({ slot: 3 }));
      expect(bed.text(three.workspace, 'one.txt')).toBe('1\n');
      expect(bed.text(three.workspace, 'two.txt')).toBe('2\n');
    });

    const squash = async (order: LandingOrder, onto?: string) => {
      const squashed = await bed.landing.squash(order, onto);
      if (squashed.kind !== 'commit') throw new Error(JSON.stringify(squashed));
      return squashed;
    };

    it('4-R6 lands several together in one swap, each on the one before; one that does not go with them stays as it is', async () => {
      const orders: LandingOrder[] = [];
      for (const slot of [1, 2, 3, 4]) orders.push(await begin(orderOf({ slot })));
      const [one, two, three, clash] = orders as [LandingOrder, LandingOrder, LandingOrder, LandingOrder];
      for (const [at, order] of orders.entries()) bed.put(order.workspace, order === clash ? '2.txt' : `${at + 1}.txt`, `by ${at + 1}\n`);
      const first = await squash(one);
      const second = await squash(two, first.commit);
      expect(await bed.landing.squash(clash, second.commit)).toEqual({ kind: 'apart' });
      expect(bed.text(clash.workspace, '2.txt')).toBe('by 4\n');
      const third = await squash(three, second.commit);
      expect(bed.landed('feature')).toEqual([]);
      const below = [
        { order: one, commit: first.commit },
        { order: two, commit: second.commit },
      ];
      const landed = await bed.landing.advance(three, first.tip, third.commit, below);
      expect(landed).toMatchObject({ kind: 'landed', commit: third.commit, below: [{ commit: first.commit }, { commit: second.commit }] });
      expect(bed.landed('feature')).toEqual([first.commit, second.commit, third.commit]);
      expect(await bed.landing.advance(three, first.tip, third.commit, below)).toEqual(landed);
      for (const [order, commit] of [
        [one, first.commit],
        [two, second.commit],
        [three, third.commit],
      ] as const) {
        expect(await bed.landing.squash(order)).toMatchObject({ kind: 'landed', commit });
        expect(await bed.landing.proof('feature', order.id)).toMatchObject({ commit });
      }
      expect((await bed.landing.squash(clash)).kind).toBe('conflict');
    });

    it('4-R6 work is there again after another commit was checked out for a check, and nothing that the check left', async () => {
      const one = await begin(orderOf());
      const two = await begin(orderOf({ slot: 2 }));
      bed.put(one.workspace, 'one.txt', '1\n');
      bed.put(two.workspace, 'two.txt', '2\n');
      const below = await squash(one);
      const stacked = await squash(two, below.commit);
      await bed.landing.checkout(two.workspace, stacked.commit, stacked.own);
      expect(bed.text(two.workspace, 'one.txt')).toBe('1\n');
      bed.put(two.workspace, 'report.txt', 'left by a check\n');
      const alone = await squash(two);
      expect([bed.text(two.workspace, 'one.txt'), bed.text(two.workspace, 'two.txt'), bed.text(two.workspace, 'report.txt')]).toEqual([
        undefined,
        '2\n',
        undefined,
      ]);
      await bed.landing.advance(two, alone.tip, alone.commit);
      const three = await begin(orderOf({ slot: 3 }));
      expect([bed.text(three.workspace, 'one.txt'), bed.text(three.workspace, 'two.txt')]).toEqual([undefined, '2\n']);
    });

    it('4-R7 sees a conflict with what has landed before it is to land; without one it changes nothing', async () => {
      const one = await begin(orderOf());
      const two = await begin(orderOf({ slot: 2 }));
      const three = await begin(orderOf({ slot: 3 }));
      for (const order of [one, two]) bed.put(order.workspace, 'notes.txt', `${order.id}\n`);
      bed.put(three.workspace, 'three.txt', '3\n');
      expect(await bed.landing.preflight(one)).toBeUndefined();
      const tip = await land(one);
      expect(await bed.landing.preflight(three)).toBeUndefined();
      expect([bed.text(three.workspace, 'notes.txt'), bed.text(three.workspace, 'three.txt')]).toEqual(['one\n', '3\n']);
      expect(await bed.landing.preflight(two)).toMatchObject({ kind: 'conflict', start: tip, kept: `refs/todone/${two.id}/1/conflict` });
      expect(bed.text(two.workspace, 'notes.txt')).toContain('<<<<<<<');
      await land(three);
    });

    it('4-R7 gives a conflict back to the workspace, on the tip, and lands what settles it', async () => {
      const one = await begin(orderOf());
      const two = await begin(orderOf({ slot: 2 }));
      bed.put(one.workspace, 'notes.txt', 'ours\n');
      bed.put(two.workspace, 'notes.txt', 'theirs\n');
      const tip = await land(one);
      const conflict = await bed.landing.squash(two);
      if (conflict.kind !== 'conflict') throw new Error(JSON.stringify(conflict));
      expect(conflict.start).toBe(tip);
      expect(conflict.evidence).toContain('notes.txt');
      expect(bed.text(two.workspace, 'notes.txt')).toContain('<<<<<<<');
      bed.put(two.workspace, 'notes.txt', 'both\n');
      await land({ ...two, start: conflict.start });
      expect(bed.landed('feature')).toHaveLength(2);
    });

    it('4-R5 snapshots, resets, and begins again from the snapshot', async () => {
      const order = await begin(orderOf());
      expect(await bed.workspaces.snapshot(order, 'plan', order.workspace, order.start)).toBeUndefined();
      bed.put(order.workspace, 'notes.txt', 'changed\n');
      bed.put(order.workspace, 'new.txt', 'new\n');
      const ref = await bed.workspaces.snapshot(order, 'implement', order.workspace, order.start);
      expect(ref).toBe(`refs/todone/${order.id}/1/implement`);
      expect((await bed.workspaces.diff(order.workspace, order.start, 10_000)).files).toEqual(['new.txt', 'notes.txt']);
      await bed.workspaces.reset(order, order.workspace, order.start);
      expect(bed.text(order.workspace, 'notes.txt')).toBe('one\n');
      expect(bed.text(order.workspace, 'new.txt')).toBeUndefined();
      const next = await begin({ ...order, ticket: order.ticket + 1, attempt: 2 }, ref);
      expect(bed.text(next.workspace, 'notes.txt')).toBe('changed\n');
      expect(bed.text(next.workspace, 'new.txt')).toBe('new\n');
    });

    it('4-R6 checks a commit out exactly', async () => {
      const order = await begin(orderOf());
      bed.put(order.workspace, 'new.txt', 'new\n');
      const squashed = await bed.landing.squash(order);
      if (squashed.kind !== 'commit') throw new Error(JSON.stringify(squashed));
      bed.put(order.workspace, 'junk.txt', 'junk\n');
      await bed.landing.checkout(order.workspace, order.start);
      expect(bed.text(order.workspace, 'new.txt')).toBeUndefined();
      expect(bed.text(order.workspace, 'junk.txt')).toBeUndefined();
      await bed.landing.checkout(order.workspace, squashed.commit);
      expect(bed.text(order.workspace, 'new.txt')).toBe('new\n');
    });

    it('2-R6 reports a deleted workspace as lost and makes it again', async () => {
      const order = await begin(orderOf());
      bed.lose(order.workspace);
      expect(await bed.workspaces.snapshot(order, 'implement', order.workspace, order.start)).toBeUndefined();
      expect(await bed.landing.squash(order)).toMatchObject({ kind: 'refused', lost: true });
      const again = await begin({ ...order, attempt: 2 });
      expect(bed.text(again.workspace, 'notes.txt')).toBe('one\n');
    });

    it('4-R3 leaves nothing of one run to the next', async () => {
      const one = await begin(orderOf());
      bed.put(one.workspace, 'left.txt', 'left\n');
      await bed.workspaces.release(one, one.workspace, never);
      const two = await begin(orderOf());
      expect(two.workspace).toBe(one.workspace);
      expect(bed.text(two.workspace, 'left.txt')).toBeUndefined();
    });
  });
}
