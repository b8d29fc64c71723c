import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiateSync } from '../pkg/index.js';
import * as L from '../layout.ts';

const test = suite('outcomes of commands');
const io = instantiateSync();
const bytes = new Uint8Array(io.memory.buffer);
const CQE = (io.heap_base() + 63) & ~63;

/** OUTCOME_* of asm/initiator/outcome.ts. */
const GOOD = 0;
const CONFLICT = 1;
const ATTENTION = 2;
const BUSY = 3;
const MEDIUM = 4;
const PATH = 5;
const ABORTED = 6;
const NOT_READY = 7;
const REFUSED = 8;
const LOST = 9;

const CHECK_CONDITION = 0x02;

function complete(host: number, status: number, sense: readonly number[] = []): void {
  bytes.fill(0, CQE, CQE + L.CQE_BYTES);
  bytes[CQE + L.CQE_HOST_STATUS_AT] = host;
  bytes[CQE + L.CQE_STATUS_AT] = status;
  bytes[CQE + L.CQE_SENSE_LENGTH_AT] = sense.length;
  bytes.set(sense, CQE + L.CQE_SENSE_AT);
}

/** Fixed format, [SPC-4] 4.5.3. */
const fixed = (key: number, asc = 0, ascq = 0, response = 0x70): number[] => {
  const sense = Array.from({ length: 18 }, () => 0);
  [sense[0], sense[2], sense[7], sense[12], sense[13]] = [response, key, 10, asc, ascq];
  return sense;
};
/** Descriptor format, [SPC-4] 4.5.2. */
const descriptor = (key: number, asc = 0, ascq = 0, response = 0x72): number[] => [
  response,
  key,
  asc,
  ascq,
  0,
  0,
  0,
  0,
];

/** [SAM-5] table 40; codes that are not in it are refused. */
const STATUSES: Readonly<Record<number, number>> = {
  0x00: GOOD,
  0x08: BUSY,
  0x18: CONFLICT,
  0x28: BUSY, // TASK SET FULL
  0x40: ABORTED, // TASK ABORTED
};

test('each SCSI status has its outcome; one that nobody knows is refused', () => {
  for (let status = 0; status < 256; status++) {
    complete(L.HOST_OK, status);
    assert.is(io.outcome_of(CQE), STATUSES[status] ?? REFUSED, `status ${status.toString(16)}`);
  }
});

/** [SPC-4] table 57 */
const KEYS: readonly (readonly [name: string, outcome: number])[] = [
  ['NO SENSE', REFUSED],
  ['RECOVERED ERROR', GOOD],
  ['NOT READY', NOT_READY],
  ['MEDIUM ERROR', MEDIUM],
  ['HARDWARE ERROR', MEDIUM],
  ['ILLEGAL REQUEST', REFUSED],
  ['UNIT ATTENTION', ATTENTION],
  ['DATA PROTECT', REFUSED],
  ['BLANK CHECK', REFUSED],
  ['VENDOR SPECIFIC', REFUSED],
  ['COPY ABORTED', REFUSED],
  ['ABORTED COMMAND', ABORTED],
  ['reserved', REFUSED],
  ['VOLUME OVERFLOW', REFUSED],
  ['MISCOMPARE', REFUSED],
  ['COMPLETED', REFUSED],
];

KEYS.forEach(([name, outcome], key) => {
  test(`CHECK CONDITION, ${name} (${key.toString(16)}h), is outcome ${outcome} in each format of sense data`, () => {
    for (const sense of [
      fixed(key),
      fixed(key, 0, 0, 0xf0),
      fixed(key | 0xe0),
      descriptor(key),
      descriptor(key | 0xf0),
    ]) {
      complete(L.HOST_OK, CHECK_CONDITION, sense);
      assert.is(io.sense_key(CQE), key);
      assert.is(io.outcome_of(CQE), outcome);
    }
  });
});

for (const [name, host, outcome] of [
  ['nobody answers the selection', L.HOST_NO_TARGET, PATH],
  ['no answer in time', L.HOST_TIMEOUT, LOST],
  ['ended by a reset', L.HOST_ABORTED, ABORTED],
  ['data outside RAM', L.HOST_DMA_ERROR, REFUSED],
  ['an entry that cannot be read', L.HOST_BAD_ENTRY, REFUSED],
  ['a host status that nobody knows', 99, REFUSED],
] as const) {
  test(`${name}: outcome ${outcome}, whatever status and sense say`, () => {
    for (const status of [0x00, CHECK_CONDITION, 0x18]) {
      complete(host, status, fixed(6));
      assert.is(io.outcome_of(CQE), outcome);
    }
  });
}

test('CHECK CONDITION without sense data, or with less than its key, is refused and has no key', () => {
  for (const length of [0, 1, 2, 3]) {
    complete(L.HOST_OK, CHECK_CONDITION, fixed(6).slice(0, length));
    assert.equal([io.outcome_of(CQE), io.sense_key(CQE), io.sense_code(CQE)], [REFUSED, 0, 0]);
  }
});

test('the additional sense code and its qualifier are read in each format', () => {
  complete(L.HOST_OK, CHECK_CONDITION, fixed(6, 0x2a, 0x05));
  assert.is(io.sense_code(CQE), 0x2a05);
  complete(L.HOST_OK, CHECK_CONDITION, descriptor(6, 0x29, 0x07));
  assert.is(io.sense_code(CQE), 0x2907);
});

test('fixed sense data that ends before the code has none', () => {
  const sense = fixed(6, 0x2a, 0x05);
  for (const length of [4, 8, 12, 13]) {
    complete(L.HOST_OK, CHECK_CONDITION, sense.slice(0, length));
    assert.is(io.sense_code(CQE), 0);
    assert.is(io.sense_key(CQE), 6);
  }
  complete(L.HOST_OK, CHECK_CONDITION, sense.slice(0, 14));
  assert.is(io.sense_code(CQE), 0x2a05);
});

test.run();
