import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as F from '../../firmware/layout.ts';
import { EVENT_NAMES, eventName } from './events.ts';

const test = suite('names of events');
const CONSTANTS = Object.entries(F).filter((entry): entry is [string, number] => entry[0].startsWith('EV_'));

test('every event of the firmware has a name, a number, and neither twice', () => {
  assert.ok(CONSTANTS.length > 30);
  assert.is(EVENT_NAMES.length, CONSTANTS.length);
  assert.is(new Set(EVENT_NAMES).size, EVENT_NAMES.length);
  assert.is(new Set(CONSTANTS.map(([, code]) => code)).size, CONSTANTS.length);
});

test('a name is lower case words with hyphens, as a scenario writes it', () => {
  for (const name of EVENT_NAMES) assert.match(name, /^[a-z]+(?:-[a-z]+)*$/);
  assert.is(eventName(F.EV_DUMP_BEGIN), 'dump-begin');
  assert.is(eventName(F.EV_TAKEOVER_CANCELLED), 'takeover-cancelled');
});

test('an event that has no name is told by its number', () => assert.is(eventName(9999), 'event-9999'));

test('events fit the 16 bits that the trace gives them', () => {
  assert.ok(CONSTANTS.every(([, code]) => code > 0 && code < 65_536));
});

test.run();
