/**
 * The power goes at every operation on flash, before it, inside it and after it, from the first sector erased for a new
 * image until that image is confirmed, or reverted. A board that had a confirmed image always boots that one or the new
 * one; a board that never had one boots the new one or stays in recovery; and any of them can be flashed again.
 */
import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { KIND_EMULATED } from '../../../firmware/bootloader/layout.ts';
import { makeImage, parseImage } from '../../image/image.ts';
import { KEY } from '../rig.test-helper.ts';
import { HandBoard, SET_STATE } from './bench.test-helper.ts';
import { type CutPlace, NorFlash, type PowerPlan } from './flash.ts';

interface Prepared {
  version: number;
  image: Buffer;
  sha: Buffer;
  hash: Buffer;
}

/** An image that says its number in the first byte of its payload. */
function prepare(version: number, bytes: number): Prepared {
  const payload = Buffer.alloc(bytes, version);
  const image = makeImage(payload, {
    key: KEY,
    counter: version,
    board: KIND_EMULATED,
    version: { major: version, minor: 0, revision: 0, build: 0 },
  });
  return {
    version,
    image,
    sha: createHash('sha256').update(image).digest(),
    hash: parseImage(image).digest,
  };
}

export const [OLD, NEW, NEXT] = [prepare(1, 100), prepare(2, 200), prepare(3, 100)];
/** Of two sectors. */
export const LARGE = prepare(2, 2060);

/** What a host does to get an image booted: until the power goes, and no further. */
function install(board: HandBoard, { image, sha, hash }: Prepared, confirm: boolean): boolean {
  return board.upload(image, sha) && board.ask(SET_STATE, { hash, confirm })?.['images'] !== undefined;
}

function boardWith(old: Prepared | null): Uint8Array {
  const board = new HandBoard();
  if (old !== null) {
    assert.ok(install(board, old, true));
    board.boot();
    assert.is(board.version, old.version);
  }
  return board.flash.bytes;
}

type Story = (board: HandBoard, image: Prepared) => void;

/** The new image is tried, finds itself well, and stays. */
export const confirmed: Story = (board, image) => {
  if (!install(board, image, false)) return;
  board.boot();
  board.running?.confirm();
  if (board.rig.mode !== 'off') board.boot();
};

/** The new image is tried, is not well, and is reverted. */
export const reverted: Story = (board, image) => {
  if (!install(board, image, false)) return;
  board.boot();
  if (board.rig.mode !== 'off') board.boot();
};

/** The host confirms it at once, without a trial. */
export const forced: Story = (board, image) => {
  if (install(board, image, true)) board.boot();
};

/** It was reverted, and the host tries the same image again, which rewrites its trailer. */
export const again: Story = (board, image) => {
  reverted(board, image);
  if (board.rig.mode === 'off') return;
  board.rig.reset();
  confirmed(board, image);
};

const xor = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

/** The same over AN3155, where Go installs. Stops when the board stops answering. */
export const byAn3155: Story = (board, { image }) => {
  const step = (bytes: readonly number[]): boolean => board.tell(...bytes)[0] === 0x79;
  const address = (at: number): number[] => {
    const bytes = [8, (at >> 16) & 255, (at >> 8) & 255, at & 255];
    return [...bytes, xor(bytes)];
  };
  const pages = [0, 0, 0, 0]; // one page: the first
  if (!step([0x7f]) || !step([0x44, 0xbb]) || !step([...pages, xor(pages)])) return;
  for (let at = 0; at < image.length; at += 256) {
    const block = [...image.subarray(at, at + 256)];
    while (block.length % 4 !== 0) block.push(0xff);
    const said = [block.length - 1, ...block];
    if (!step([0x31, 0xce]) || !step(address(at)) || !step([...said, xor(said)])) return;
  }
  if (!step([0x21, 0xde]) || !step(address(0))) return;
  board.host.pass(2000);
  board.running?.confirm();
  if (board.rig.mode !== 'off') board.boot();
};

export interface Row {
  name: string;
  old: Prepared | null;
  image?: Prepared;
  story: Story;
  /** What runs when nothing is cut; 0: recovery. */
  ends: number;
}

function tell(contents: Uint8Array, { story, image = NEW }: Row, plan: PowerPlan | null): HandBoard {
  const flash = new NorFlash({ contents, seed: plan === null ? '' : `${plan.operation} ${plan.place}` });
  const board = new HandBoard(flash);
  flash.plan = plan;
  story(board, image);
  return board;
}

const PLACES: readonly CutPlace[] = ['before', 'inside', 'after'];

/** Sweeps one story; it throws where a board is lost. */
export function sweep(row: Row): void {
  const { old, ends } = row;
  const contents = boardWith(old);
  const clean = tell(contents, row, null);
  assert.is(clean.version, ends);
  const operations = clean.flash.operations;
  assert.ok(operations > 50, `${operations}`);
  const seen = new Set<number>();
  for (let operation = 0; operation < operations; operation++) {
    for (const place of PLACES) {
      if (place === 'before' && operation > 0) continue; // the same as after the one before
      const at = `operation ${operation}, ${place}`;
      const board = tell(contents, row, { operation, place });
      assert.is(board.flash.plan, null, `${at}: the cut did not come`);
      assert.is(board.rig.mode, 'off', at);
      board.boot();
      seen.add(board.version);
      if (old !== null) assert.ok([1, 2].includes(board.version), `${at}: ${board.rig.mode}`);
      else assert.ok(board.version === 2 || board.rig.mode === 'recovery', at);
      board.boot(); // one power cycle later it is no worse
      if (old !== null) assert.ok([1, 2].includes(board.version), `${at}, a second time: ${board.rig.mode}`);
      board.rig.reset();
      assert.ok(install(board, NEXT, true), `${at}: cannot be flashed again`);
      board.boot();
      assert.is(board.version, 3, at);
      assert.is(board.flash.violations, 0, at);
    }
  }
  assert.ok(seen.has(old?.version ?? 0) && (ends !== 2 || seen.has(2)), `${[...seen].join()}`);
}
