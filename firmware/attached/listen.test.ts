/** What on the line is no word of the link: a host that wants the bootloader, or that measures the line. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as K from '../../asm/link/layout.ts';
import { firmwarePath, loadFirmware } from '../../boards/machine.ts';
import { LinkEnd } from '../../boards/serial/link-end.ts';
import { Peer, type Wire } from '../../boards/serial/peer.ts';
import * as R from './layout.ts';

class Over extends Error {}

/** Bytes at their times, us; a host that opens the link where it is asked to. */
class ScriptWire implements Wire {
  written = 0;
  #now = 0;
  #waiting: number[] = [];
  readonly #script: { at: number; bytes: readonly number[] }[];
  readonly #host: LinkEnd | null;

  constructor(script: readonly (readonly [number, readonly number[]])[], opens = false) {
    this.#script = script.map(([at, bytes]) => ({ at, bytes }));
    this.#host = opens ? new LinkEnd(K.LINK_HOST, 0, 0) : null;
    this.#host?.open(1, 0);
    this.#talk();
  }

  get isOpen(): boolean {
    return this.#host?.state === K.LINK_OPEN;
  }

  now(): number {
    return this.#now;
  }

  read(into: Uint8Array): number {
    const part = this.#waiting.splice(0, into.length);
    into.set(part);
    return part.length;
  }

  write(bytes: Uint8Array): number {
    this.written += bytes.length;
    this.#host?.receive(bytes.slice(), this.#now);
    this.#talk();
    return bytes.length;
  }

  wait(us: number): void {
    if (this.#waiting.length > 0) return;
    const next = this.#script[0];
    if (next === undefined) throw new Over();
    this.#now = Math.min(next.at, this.#now + us);
    if (this.#now < next.at) return;
    this.#waiting.push(...this.#script.shift()!.bytes);
  }

  /** The host says what it must to open the link, and no more. */
  #talk(): void {
    if (this.#host === null) return;
    const host = this.#host;
    for (let line = host.transmit(this.#now); line !== null; line = host.transmit(this.#now))
      this.#waiting.push(...line);
  }
}

/** Does it come to the bootloader? */
function recovers(wire: ScriptWire): boolean {
  const peer = new Peer(loadFirmware(firmwarePath()), wire, 2 ** 20);
  let asked = false;
  peer.onRecovery = () => {
    asked = true;
    throw new Over();
  };
  try {
    peer.run(1);
  } catch (error) {
    if (!(error instanceof Over)) throw error;
  }
  return asked;
}

const SMP = [R.SMP_START & 0xff, R.SMP_START >> 8];
const MS = 1000;

test('a host of either protocol of the bootloader is heard, in one piece or byte by byte, after a newline too', () => {
  assert.ok(recovers(new ScriptWire([[MS, SMP]])));
  assert.ok(recovers(new ScriptWire([[MS, [R.STM32_START]]])));
  const each = [R.SMP_NEWLINE, ...SMP].map((byte, i) => [(i + 1) * MS, [byte]] as const);
  assert.ok(recovers(new ScriptWire(each)));
});

test('in the middle of something else these bytes are nothing, after half a second of silence they are', () => {
  const noise = [MS, [1, 2, 3]] as const;
  for (const bytes of [SMP, [R.STM32_START]]) {
    assert.not.ok(recovers(new ScriptWire([noise, [400 * MS, bytes]])));
    assert.ok(recovers(new ScriptWire([noise, [600 * MS, bytes]])));
  }
});

test('while a session is open a host that was silent for as long as one that lives is not taken for the other', () => {
  for (const [ms, heard] of [
    [1500, false],
    [2500, true],
  ] as const) {
    const wire = new ScriptWire([[ms * MS, [R.STM32_START]]], true);
    assert.is(recovers(wire), heard, `${ms} ms`);
    assert.ok(wire.isOpen);
  }
});

test('the word for it is answered by as many bytes as the line takes', () => {
  const wire = new ScriptWire([
    [MS, [0x52, 0x52]],
    [2 * MS, [0x52, 0x52]],
  ]);
  assert.not.ok(recovers(wire));
  assert.is(wire.written, R.RAW_BYTES);
});

test.run();
