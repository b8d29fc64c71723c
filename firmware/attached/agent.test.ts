/** The board's end before a host that is out of its mind: it ends the session, and serves the next one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as K from '../../asm/link/layout.ts';
import { RecordReader, RecordWriter, type RpcRecord, words } from '../../boards/attached/records.ts';
import { loadFirmware, firmwarePath } from '../../boards/machine.ts';
import { RandomStream } from '../../boards/random.ts';
import { type Chunk, LinkEnd } from '../../boards/serial/link-end.ts';
import { Peer, type Wire } from '../../boards/serial/peer.ts';
import * as R from './layout.ts';

const MIB = 2 ** 20;

class Over extends Error {}

/** A wire that is the host, too: at each turn `turn` says what it sends next; null: it waits. */
class HostWire implements Wire {
  readonly host = new LinkEnd(K.LINK_HOST, 0, 0);
  readonly came: RpcRecord[] = [];
  #now = 0;
  #toBoard: Uint8Array[] = [];
  #toHost: Uint8Array[] = [];
  #sends: Chunk[] = [];
  #reader = new RecordReader();
  #session = 0;
  readonly #turn: (wire: HostWire) => Chunk[] | null;

  constructor(turn: (wire: HostWire) => Chunk[] | null) {
    this.#turn = turn;
  }

  now(): number {
    return this.#now;
  }

  read(into: Uint8Array): number {
    const next = this.#toBoard[0];
    if (next === undefined) return 0;
    const part = next.subarray(0, into.length);
    into.set(part);
    if (part.length < next.length) this.#toBoard[0] = next.subarray(part.length);
    else this.#toBoard.shift();
    return part.length;
  }

  write(bytes: Uint8Array): number {
    this.#toHost.push(bytes.slice());
    return bytes.length;
  }

  /** Ends the session: what comes next begins another. */
  hangUp(): void {
    this.host.close();
    this.#sends = [];
    this.#reader.clear();
  }

  wait(us: number): void {
    const until = this.#now + Math.min(us, 100_000);
    do {
      for (const line of this.#toHost.splice(0)) this.host.receive(line, this.#now);
      for (let chunk = this.host.take(); chunk !== null; chunk = this.host.take()) this.#reader.push(chunk);
      for (let record = this.#reader.next(); record !== null; record = this.#reader.next())
        this.came.push(record);
      if (this.host.state === K.LINK_CLOSED || this.host.state === K.LINK_LOST) {
        this.hangUp();
        this.host.open((this.#session++ % 0xffff) + 1, this.#now);
      }
      if (this.host.state === K.LINK_OPEN) this.#give();
      for (let line = this.host.transmit(this.#now); line !== null; line = this.host.transmit(this.#now))
        this.#toBoard.push(line);
      this.#now += 500;
    } while (this.#toBoard.length === 0 && this.#now < until);
  }

  #give(): void {
    if (this.#sends.length === 0) this.#sends = this.#turn(this) ?? [];
    while (this.#sends.length > 0) {
      const first = this.#sends[0]!;
      const went = this.host.write(first.channel, first.bytes);
      if (went < first.bytes.length) {
        this.#sends[0] = { channel: first.channel, bytes: first.bytes.subarray(went) };
        break;
      }
      this.#sends.shift();
    }
    this.host.flush();
  }
}

function serve(wire: HostWire): void {
  try {
    new Peer(loadFirmware(firmwarePath()), wire, 16 * MIB).run(1);
  } catch (error) {
    if (!(error instanceof Over)) throw error;
  }
}

const now = (us: number): Uint8Array => {
  const body = new Uint8Array(R.NOW_BYTES);
  new DataView(body.buffer).setBigUint64(0, BigInt(us), true);
  return body;
};

/** Greeted, reset and booted: what a session begins with. */
function begun(writer: RecordWriter): void {
  writer.say(K.CHANNEL_CONTROL, R.RPC_HELLO, 0, R.RPC_VERSION);
  writer.say(K.CHANNEL_CONTROL, R.RPC_RESET, 0, 256, words(0, 0));
  writer.say(K.CHANNEL_TIME, R.RPC_BOOT, 0, 100, now(0));
}

test('the board says what it is, boots the firmware, and runs its cycles', () => {
  const writer = new RecordWriter();
  let asked = false;
  const wire = new HostWire((self) => {
    const returned = self.came.filter(({ type }) => type === R.RPC_RETURN).length;
    const waits = self.came.some(({ type }) => type === R.RPC_RANDOM);
    if (!asked) begun(writer);
    else if (waits) {
      self.came.length = 0;
      writer.say(K.CHANNEL_CONTROL, R.RPC_RESUME, 0, 0x1234);
    } else if (returned > 0) throw new Over();
    asked = true;
    return writer.take();
  });
  serve(wire);
  assert.is(wire.came.at(-1)?.type, R.RPC_RETURN);
  assert.is(
    wire.came.some(({ type }) => type === R.RPC_WORK),
    true,
  );
});

/** A record of any kind, with what is in it right or wrong. */
function draw(random: RandomStream, writer: RecordWriter): void {
  const type = random.below(random.chance(1, 20) ? 256 : R.RPC_NMI + 1);
  const addresses = [0, 1, 0xfff, 0x1000, 16 * MIB - 1, 16 * MIB, 0x7fffffff, 0xfffffff0, 0xffffffff];
  const b = random.chance(1, 2) ? addresses[random.below(addresses.length)]! : random.next();
  const lengths = [0, 1, 4, 8, 12, 16, 40, 255, 512, 513, 2000, 40_000];
  const body = new Uint8Array(lengths[random.below(lengths.length)]!);
  for (let at = 0; at < Math.min(body.length, 64); at++) body[at] = random.chance(1, 2) ? 0 : random.next();
  writer.say(random.below(K.CHANNELS), type, random.below(3), b, body);
}

test('no record makes the board fall: it ends the session, and the next host finds it in order', () => {
  const random = new RandomStream('1', 'records');
  const writer = new RecordWriter();
  let turns = 0;
  let sessions = 0;
  let sane = false;
  const wire = new HostWire((self) => {
    if (self.came.some(({ type }) => type === R.RPC_WELCOME)) sessions++;
    if (sane && self.came.some(({ type }) => type === R.RPC_READY)) throw new Over();
    self.came.length = 0;
    if (++turns > 4000) {
      // The next one is sane.
      if (!sane) self.hangUp();
      sane = true;
      writer.take();
      begun(writer);
      return writer.take();
    }
    if (random.chance(1, 10)) begun(writer);
    for (let n = random.below(4); n >= 0; n--) draw(random, writer);
    return writer.take();
  });
  serve(wire);
  assert.ok(sessions > 100, `${sessions} sessions`);
});

test.run();
