import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { nexusOf } from '../shelf/fabric.ts';
import { INVARIANTS, Invariants, type WatchedDisk } from './invariants.ts';

const test = suite('invariants');

const DISKS: WatchedDisk[] = [
  { name: 'mailbox', role: 'mailbox', owner: null },
  { name: 'a.root', role: 'root', owner: 0 },
  { name: 'a.data.0', role: 'data', owner: 0 },
  { name: 'a.spare.0', role: 'spare', owner: 0 },
  { name: 'a.spare.1', role: 'spare', owner: 0 },
  { name: 'a.dump', role: 'dump', owner: 0 },
  { name: 'b.spare.0', role: 'spare', owner: 1 },
];
const [MAILBOX, ROOT, DATA, SPARE, SPARE_1, DUMP, SPARE_B] = [0, 1, 2, 3, 4, 5, 6] as const;
const A = 0;
const B = 1;
const RESERVE = 1;
const RELEASE = 2;
const CLEAR = 3;
const PREEMPT = 4;
const PREEMPT_AND_ABORT = 5;
const LIMIT = 1000;

class Watched {
  time = 0;
  readonly invariants = new Invariants(DISKS, () => this.time);

  reserve(board: number, disk: number, action = RESERVE): this {
    // A RELEASE by one who does not hold the disk leaves it held.
    const held = action === RELEASE ? this.invariants.heldBy(disk) !== board : action !== CLEAR;
    this.invariants.reserved(disk, nexusOf(board, 0), action, held);
    return this;
  }
  write(board: number, disk: number, port = 0): this {
    this.invariants.wrote(disk, nexusOf(board, port));
    return this;
  }
  dumping(disk: number, of: 0 | 1 = A): this {
    this.invariants.header(disk, L.ATTRIBUTE_DUMPING, of, LIMIT);
    return this;
  }
  header(disk: number, attribute: number, of: 0 | 1 = A): this {
    this.invariants.header(disk, attribute, of, LIMIT);
    return this;
  }
  at(time: number): this {
    this.time = time;
    return this;
  }
  serves(board: 0 | 1, volume: number, on = true): this {
    this.invariants.serves(board, volume, on);
    return this;
  }
  answers(board: 0 | 1, volume: number): this {
    this.invariants.answered(board, volume);
    return this;
  }
  silent(board: 0 | 1): this {
    this.invariants.silent(board);
    return this;
  }
}

/** What a board pair does by right, and what it must never do: the number of the invariant that sees it. */
const CASES: readonly (readonly [what: string, violated: number | null, steps: (on: Watched) => void])[] = [
  // 1
  ['a board writes to a disk that it reserved', null, (on) => on.reserve(A, DATA).write(A, DATA)],
  ['a board writes to a disk that nobody holds', null, (on) => on.write(B, DATA)],
  ['a board writes by its other path', null, (on) => on.reserve(A, DATA).write(A, DATA, 1)],
  ['a board writes to a disk that the partner holds', 1, (on) => on.reserve(A, DATA).write(B, DATA)],
  ['a write lands after the partner’s PREEMPT', 1, (on) => on.reserve(A, DATA).reserve(B, DATA, PREEMPT).write(A, DATA)],
  ['a write lands after the partner’s PREEMPT AND ABORT', 1, (on) => on.reserve(A, DATA).reserve(B, DATA, PREEMPT_AND_ABORT).write(A, DATA)],
  ['a write lands by the other path after the preemption', 1, (on) => on.reserve(A, DATA).reserve(B, DATA, PREEMPT).write(A, DATA, 1)],
  ['the partner writes after its preemption', null, (on) => on.reserve(A, DATA).reserve(B, DATA, PREEMPT).write(B, DATA)],
  ['a disk is preempted there and back', null, (on) => on.reserve(A, DATA).reserve(B, DATA, PREEMPT).write(B, DATA).reserve(A, DATA, PREEMPT).write(A, DATA)],
  ['a disk is given back: released, reserved, written', null, (on) => on.reserve(B, DATA).write(B, DATA).reserve(B, DATA, RELEASE).reserve(A, DATA).write(A, DATA)],
  ['a spare is lent: released by the taker, then its owner writes', null, (on) => on.reserve(A, SPARE).reserve(B, SPARE, PREEMPT).reserve(B, SPARE, RELEASE).write(A, SPARE)],
  ['a RELEASE by the one who does not hold it frees nothing', 1, (on) => on.reserve(A, DATA).reserve(B, DATA, RELEASE).write(B, DATA)],
  ['a CLEAR frees the disk for all', null, (on) => on.reserve(A, DATA).reserve(B, DATA, CLEAR).write(B, DATA)],
  ['both boards write to the mailbox disk', null, (on) => on.reserve(A, MAILBOX).write(A, MAILBOX).write(B, MAILBOX)],
  // 2
  ['the dumping board writes its dump', null, (on) => on.reserve(A, SPARE).dumping(SPARE).write(A, SPARE).write(A, SPARE)],
  ['the partner writes to the disk of a running dump', 2, (on) => on.dumping(SPARE).write(B, SPARE)],
  ['the partner preempts the disk of a running dump', 2, (on) => on.reserve(A, SPARE).dumping(SPARE).reserve(B, SPARE, PREEMPT_AND_ABORT)],
  ['the partner preempts it a nanosecond before the limit', 2, (on) => on.reserve(A, SPARE).dumping(SPARE).at(LIMIT - 1).reserve(B, SPARE, PREEMPT)],
  ['the partner takes it at the limit', null, (on) => on.reserve(A, SPARE).dumping(SPARE).at(LIMIT).reserve(B, SPARE, PREEMPT).write(B, SPARE)],
  ['the partner takes the disk of a completed dump', null, (on) => on.reserve(A, SPARE).dumping(SPARE).header(SPARE, L.ATTRIBUTE_COMPLETED).reserve(B, SPARE, PREEMPT).write(B, SPARE)],
  ['the partner takes the disk of an aborted dump', null, (on) => on.reserve(A, SPARE).dumping(SPARE).header(SPARE, L.ATTRIBUTE_ABORTED).reserve(B, SPARE, PREEMPT)],
  ['the partner takes another disk meanwhile', null, (on) => on.reserve(A, DATA).dumping(SPARE).reserve(B, DATA, PREEMPT).write(B, DATA)],
  ['the partner takes a disk that the dump gave up', null, (on) => { on.reserve(A, SPARE).dumping(SPARE); on.invariants.dumpDropped(SPARE); on.reserve(B, SPARE, PREEMPT); }],
  ['the partner takes a disk whose header was torn', null, (on) => { on.reserve(A, SPARE).dumping(SPARE); on.invariants.header(SPARE, 0, null, Infinity); on.reserve(B, SPARE, PREEMPT); }],
  // 3
  ['a dedicated dump disk says dumping', null, (on) => on.dumping(DUMP)],
  ['both boards dump, each to one disk', null, (on) => on.dumping(SPARE).dumping(SPARE_B, B)],
  ['a dump moves to the next disk when it gave the first up', null, (on) => on.dumping(SPARE).header(SPARE, L.ATTRIBUTE_ABORTED).dumping(SPARE_1)],
  ['a header is written again while it says dumping', null, (on) => on.dumping(SPARE).dumping(SPARE)],
  ['a data disk says dumping', 3, (on) => on.dumping(DATA)],
  ['a root disk says dumping', 3, (on) => on.dumping(ROOT)],
  ['the mailbox disk says dumping', 3, (on) => on.dumping(MAILBOX)],
  ['two disks of a board say dumping', 3, (on) => on.dumping(SPARE).dumping(SPARE_1)],
  // 6
  ['a board serves, and answers', null, (on) => on.serves(A, 0).answers(A, 0)],
  ['each board serves its volume', null, (on) => on.serves(A, 0).serves(B, 1).answers(A, 0).answers(B, 1)],
  ['a volume goes from board to board', null, (on) => on.serves(A, 0).serves(A, 0, false).serves(B, 0).answers(B, 0)],
  ['the partner serves when the board has died', null, (on) => on.serves(A, 0).silent(A).serves(B, 0).answers(B, 0)],
  ['a board begins twice', null, (on) => on.serves(A, 0).serves(A, 0)],
  ['a board ends what the partner serves: it still does', null, (on) => on.serves(A, 0).serves(B, 0, false).answers(A, 0)],
  ['two boards serve one volume', 6, (on) => on.serves(A, 0).serves(B, 0)],
  ['a board answers for a volume that it gave up', 6, (on) => on.serves(A, 0).serves(A, 0, false).answers(A, 0)],
  ['a dead board answers', 6, (on) => on.serves(A, 0).silent(A).answers(A, 0)],
  ['a board answers for a volume of the partner', 6, (on) => on.serves(A, 0).answers(B, 0)],
]; // prettier-ignore

for (const [what, violated, steps] of CASES) {
  test(`${what}: ${violated === null ? 'by right' : `violates ${violated}`}`, () => {
    const on = new Watched();
    steps(on);
    const numbers = [...new Set(on.invariants.violations.map((text) => Number(text.split(':')[0])))];
    assert.equal(numbers, violated === null ? [] : [violated]);
  });
}

test('each of the seven has a sentence, and counts how often it was checked', () => {
  assert.is(INVARIANTS.length, 7);
  const { invariants } = new Watched()
    .reserve(A, DATA)
    .write(A, DATA)
    .dumping(SPARE)
    .serves(A, 0)
    .answers(A, 0);
  invariants.check(4, true, () => '');
  invariants.check(5, true, () => '');
  invariants.check(7, true, () => '');
  assert.ok(
    invariants.checks.every((count) => count > 0),
    invariants.checks.join(),
  );
  assert.equal(invariants.violations, []);
});

test('a violation says which invariant, when, which board and which disk', () => {
  const on = new Watched().reserve(A, DATA).at(1_234_567_000).write(B, DATA);
  assert.equal(on.invariants.violations, ['1: at 1.234567 s: board b wrote to a.data.0, held by a']);
});

test('a run that goes wrong all the time keeps a hundred violations, and counts all checks', () => {
  const on = new Watched().reserve(A, DATA);
  for (let n = 0; n < 1000; n++) on.write(B, DATA);
  assert.is(on.invariants.violations.length, 100);
  assert.is(on.invariants.checks[0], 1000);
});

test('who holds and who dumps can be asked', () => {
  const { invariants } = new Watched().reserve(A, DATA).reserve(B, ROOT).dumping(SPARE).serves(A, 3);
  assert.equal(
    [DATA, ROOT, SPARE].map((disk) => invariants.heldBy(disk)),
    [A, B, null],
  );
  assert.equal(invariants.dumping, [SPARE]);
  assert.is(invariants.servedVolumes(), 1);
});

test.run();
