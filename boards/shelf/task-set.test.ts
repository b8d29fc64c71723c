import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Bench, read16 } from './bench.test-helper.ts';
import {
  HEAD_OF_QUEUE,
  ORDERED,
  SIMPLE,
  STATUS_BUSY,
  STATUS_TASK_SET_FULL,
  TASKS_A_NEXUS,
  TASKS_MAX,
  TaskSet,
} from './task-set.ts';
import type { Task } from './task.ts';

const bench = new Bench();
const task = (nexus: number, attribute = SIMPLE, waiting = false): Task =>
  Object.assign(bench.task(nexus, read16(0, 1), 512).task, { attribute, waiting });
const never = (): boolean => false;
const always = (): boolean => true;

/** In which order they start, each over before the next is looked for. */
function startOrder(tasks: readonly Task[]): number[] {
  const set = new TaskSet();
  for (const each of tasks) set.add(each);
  const order: number[] = [];
  for (;;) {
    const next = set.next(true, always);
    if (next === null) return order;
    order.push(tasks.indexOf(next));
    set.remove(next);
  }
}

test('SIMPLE tasks start in order of arrival', () => {
  assert.equal(startOrder([task(0), task(1), task(0)]), [0, 1, 2]);
});

test('HEAD OF QUEUE goes before all that has not started, the newest first', () => {
  const tasks = [task(0), task(0, ORDERED), task(1, HEAD_OF_QUEUE), task(0), task(1, HEAD_OF_QUEUE)];
  assert.equal(startOrder(tasks), [4, 2, 0, 1, 3]);
});

test('a SIMPLE task overtakes one that waits for its data, but not an ORDERED one', () => {
  assert.equal(startOrder([task(0, SIMPLE, true), task(0)]), [1]);
  assert.equal(startOrder([task(0, ORDERED, true), task(0)]), []);
  assert.equal(startOrder([task(0, HEAD_OF_QUEUE, true), task(0)]), []);
  assert.equal(startOrder([task(0, SIMPLE, true), task(0, ORDERED), task(0)]), []);
});

test('a task that waits for data that never comes holds back nobody but its own nexus', () => {
  assert.equal(startOrder([task(0, ORDERED, true), task(0), task(1), task(2, ORDERED)]), [2, 3]);
  assert.equal(startOrder([task(0, SIMPLE, true), task(0, ORDERED), task(1, ORDERED), task(1)]), [2, 3]);
  assert.equal(startOrder([task(1), task(0, HEAD_OF_QUEUE, true), task(1, ORDERED), task(2)]), [0, 2, 3]);
});

test('an ORDERED task waits for those that are being served, and they for nobody', () => {
  const set = new TaskSet();
  const served = task(0);
  const ordered = task(1, ORDERED);
  set.add(served);
  set.add(ordered);
  served.state = 'serving';
  assert.is(set.next(true, never), null);
  set.remove(served);
  assert.is(set.next(true, never), ordered);
});

test('while the medium is busy only commands start that do without it', () => {
  const set = new TaskSet();
  const reads = task(0);
  const asks = task(0);
  set.add(reads);
  set.add(asks);
  assert.is(
    set.next(false, (each) => each === reads),
    asks,
  );
});

test('a task that came now starts at once unless something holds it back', () => {
  const set = new TaskSet();
  assert.ok(set.startsAtOnce(task(0, ORDERED)));
  const waiting = task(0, SIMPLE, true);
  set.add(waiting);
  assert.ok(set.startsAtOnce(task(1)));
  assert.not(set.startsAtOnce(task(1, ORDERED)));
  assert.ok(set.startsAtOnce(task(1, HEAD_OF_QUEUE)));
  const ordered = task(0, ORDERED, true);
  set.add(ordered);
  assert.not(set.startsAtOnce(task(1)));
  set.remove(ordered);
  assert.ok(set.startsAtOnce(task(1)));
});

test('TASK SET FULL at the bound of a nexus; BUSY for one that has nothing in a full set', () => {
  const set = new TaskSet();
  for (let i = 0; i < TASKS_A_NEXUS; i++) set.add(task(0));
  assert.is(set.refusal(0), STATUS_TASK_SET_FULL);
  assert.is(set.refusal(1), 0);
  for (let i = TASKS_A_NEXUS; i < TASKS_MAX; i++) set.add(task(1));
  assert.is(set.refusal(1), STATUS_TASK_SET_FULL);
  assert.is(set.refusal(2), STATUS_BUSY);
});

test('it tells which nexuses have tasks, leaving one task out', () => {
  const set = new TaskSet();
  const one = task(63);
  set.add(one);
  set.add(task(2));
  assert.is(set.nexuses(null), (1n << 63n) | 4n);
  assert.is(set.nexuses(one), 4n);
});

test.run();
