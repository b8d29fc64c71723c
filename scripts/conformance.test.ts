/**
 * The conformance tests of libiscsi, all of them, at disks of each kind. Those that fail are in a table, each with the
 * reason; one that fails and is not there is a fault of the target, and one that is there must fail.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { Served } from './served.test-helper.ts';

const KINDS = ['plain', 'thin', 'native', 'protected'] as const;
type Kind = (typeof KINDS)[number];
/** The suite mostly sleeps: two of them at a time, each with a pair of its own, since they reset targets. */
const LANES: readonly (readonly Kind[])[] = [
  ['plain', 'native'],
  ['thin', 'protected'],
];

/** A shelf with a free disk of each kind. */
const SCENARIO = {
  title: 'disks of each kind',
  end_s: 1,
  boards: { memory_mib: 16, post_ms: 50, giveback_ms: 200 },
  disks: [
    { role: 'mailbox' },
    ...(['a', 'b'] as const).flatMap((owner) => [
      { role: 'root', owner },
      { role: 'data', owner, size_mib: 64 },
    ]),
    { role: 'spare', owner: 'a' },
    { role: 'free', name: 'plain', size_mib: 256 },
    { role: 'free', name: 'thin', size_mib: 256, thin: true, write_cache: true },
    { role: 'free', name: 'native', size_mib: 256, thin: true, block_bytes: 4096, physical_exponent: 0 },
    { role: 'free', name: 'protected', size_mib: 256, protection: 1 },
  ],
  workload: { working_set_mib: 8 },
};

interface Deviation {
  test: string;
  /** All, when it does not say. */
  kinds?: readonly Kind[];
  /** Whether it fails depends on how fast the host is. */
  sometimes?: true;
  reason: string;
}

/** Those that fail, and why the target is right. */
const KNOWN: readonly Deviation[] = [
  {
    test: 'CompareAndWrite.Simple',
    reason: 'its 256 blocks are 0 in the field of one byte, which is no error, [SBC-3] 5.2',
  },
  {
    test: 'CompareAndWrite.Miscompare',
    reason: 'its 256 blocks are 0 in the field of one byte, which is no error, [SBC-3] 5.2',
  },
  {
    test: 'CompareAndWrite.InvalidDataOutSize',
    kinds: ['thin'],
    reason: 'data beyond what the CDB asks for are a residual (U), not an error, RFC 7143 11.4.5.1',
  },
  {
    test: 'WriteSame10.InvalidDataOutSize',
    kinds: ['thin'],
    reason: 'data beyond what the CDB asks for are a residual (U), not an error, RFC 7143 11.4.5.1',
  },
  {
    test: 'WriteSame16.InvalidDataOutSize',
    kinds: ['thin'],
    reason: 'data beyond what the CDB asks for are a residual (U), not an error, RFC 7143 11.4.5.1',
  },
  {
    test: 'ExtendedCopy.ValidTgtDescr',
    reason: 'LU ID TYPE is a field of the parameter list, not of the CDB: 26h, not 24h, [SPC-4] 6.4.5.1',
  },
  {
    test: 'ExtendedCopy.ValidSegDescr',
    reason:
      'an index without a descriptor is a bad field of the list; a segment beyond the end is a failure of the ' +
      'other device, 0D01h, which the suite does not know, [SPC-4] 5.17.4',
  },
  {
    test: 'GetLBAStatus.UnmapSingle',
    kinds: ['thin'],
    reason:
      'it asks at i + 1 and wants i + 8: the first descriptor begins at the LBA asked for, [SBC-3] 5.4.2',
  },
  {
    test: 'Sanitize.BlockErase',
    kinds: ['plain', 'protected'],
    reason: 'it wants LBPME, but a fully provisioned disk may have BLOCK ERASE, too, [SBC-3] 4.11',
  },
  {
    test: 'Sanitize.Reset',
    sometimes: true,
    reason: 'it looks for the operation after three seconds, and a disk of 256 MiB has ended it by then',
  },
  {
    test: 'WriteSame16.Unmap',
    kinds: ['native'],
    reason: 'it writes 65536 blocks of 4 KiB, beyond MAXIMUM TRANSFER LENGTH, [SBC-3] 6.5.4',
  },
  {
    test: 'iSCSIdatasn.iSCSIDataSnInvalid',
    reason:
      'a wrong DataSN ends the connection at ErrorRecoveryLevel 0, RFC 7143 7.9; after the login that follows it ' +
      'sends immediate data, which has no DataSN',
  },
];

/** Half a minute of it the suite sleeps. */
const TIME_OUT_MS = 130_000;
const TESTS_MIN = 200;

const scratch = mkdtempSync(join(tmpdir(), 'sparecore-conformance-'));
const pairs: Promise<Served>[] = [];
const outputs = new Map<Kind, Promise<string>>();

test.after(async () => {
  const codes = await Promise.all(pairs.map(async (each) => (await each).stop()));
  rmSync(scratch, { recursive: true });
  assert.ok(
    codes.every((each) => each === 0),
    'the pairs that were served end well, without a violation',
  );
});

function start(lane: readonly Kind[]): void {
  const path = join(scratch, `${lane.join('-')}.yaml`);
  writeFileSync(path, JSON.stringify(SCENARIO));
  const pair = Served.start(path);
  pairs.push(pair);
  let last: Promise<unknown> = pair;
  for (const kind of lane) {
    const before = last;
    const printed = (async (): Promise<string> => {
      await before;
      return suite(await pair, kind);
    })();
    outputs.set(kind, printed);
    last = printed;
  }
}

/** What the suite prints of a disk. */
async function output(kind: Kind): Promise<string> {
  if (outputs.size === 0) for (const lane of LANES) start(lane);
  return outputs.get(kind)!;
}

/** All tests at one disk, by both ports; what they print. */
function suite(pair: Served, kind: Kind): Promise<string> {
  const urls = [pair.url('a', kind), pair.url('b', kind)];
  const child = spawn(
    'iscsi-test-cu',
    ['--dataloss', '--allow-sanitize', '--normal', '--test=ALL', ...urls],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIME_OUT_MS,
    },
  );
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (out += part.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(out));
  });
}

for (const kind of KINDS) {
  testUnless(
    [needsExternal(), needsTool('iscsi-test-cu')],
    `the conformance tests of libiscsi hold at a ${kind} disk, but for those that are known`,
    async () => {
      const out = await output(kind);
      const ran = /^ +tests +\d+ +(\d+) +\d+ +(\d+)/m.exec(out);
      assert.ok(ran, `it came to its summary in time: ${out}`);
      assert.ok(Number(ran[1]) >= TESTS_MIN, ran[0]);
      const failed = [...out.matchAll(/^Suite (\S+), Test (\S+) had failures:/gm)].map(
        ([, group, name]) => `${group}.${name}`,
      );
      assert.is(failed.length, Number(ran[2]), 'each failure has a name');
      const known = KNOWN.filter(({ kinds }) => kinds?.includes(kind) ?? true);
      const sometimes = new Set(known.filter((each) => each.sometimes).map((each) => each.test));
      assert.equal(
        failed.filter((each) => !sometimes.has(each)).sort(),
        known
          .filter((each) => !each.sometimes)
          .map((each) => each.test)
          .sort(),
        out,
      );
    },
  );
}

test.run();
