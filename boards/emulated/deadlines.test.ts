import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock } from '../clock.ts';
import { Deadlines } from './deadlines.ts';

const test = suite('deadlines of commands');

interface Bench {
  clock: Clock;
  deadlines: Deadlines<string>;
  late: string[];
  set: (name: string, ns: number) => void;
  met: (name: string) => void;
}

function bench(): Bench {
  const clock = new Clock();
  const slots = new Map<string, number>();
  const late: string[] = [];
  const met = (name: string): void => deadlines.met(slots.get(name)!);
  const component = clock.register((_kind, generation) => deadlines.fire(generation));
  const deadlines = new Deadlines<string>(clock, component, 1, (name) => {
    late.push(`${name} at ${clock.now}`);
    met(name);
  });
  return {
    clock,
    deadlines,
    late,
    set: (name, ns) => void slots.set(name, deadlines.set(name, ns)),
    met,
  };
}

test('who is late is told in the order of the times, and at one time in the order in which they were set', () => {
  const { clock, set, met, late } = bench();
  set('gone', 5);
  set('third', 40);
  met('gone');
  set('second', 20); // in the place of one that has gone
  set('first', 10);
  set('with second', 20);
  clock.runUntil(19);
  assert.equal(late, ['first at 10']);
  clock.runUntil(100);
  assert.equal(late, ['first at 10', 'second at 20', 'with second at 20', 'third at 40']);
});

test('a command that ended in time is never late, and a thousand of them leave one event', () => {
  const { clock, set, met, late } = bench();
  for (let n = 0; n < 1000; n++) {
    set('again', 1000);
    clock.runUntil(clock.now + 10);
    met('again');
  }
  assert.ok(clock.save().events.length <= 1);
  clock.runUntil(50_000);
  assert.equal(late, []);
});

test('after a reset nobody is late but who is set anew', () => {
  const { clock, deadlines, set, late } = bench();
  set('before', 10);
  deadlines.clear();
  set('after', 30);
  clock.runUntil(100);
  assert.equal(late, ['after at 30']);
});

test.run();
