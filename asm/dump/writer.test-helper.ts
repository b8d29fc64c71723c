/**
 * The dump writer alone, with nothing around it: a submission ring in its memory, and whoever takes the commands out of
 * it and answers them is the test. A command that is good moves its data when it is answered, not when it is sent, and
 * the data must still be what was sent.
 */
import { instantiateSync } from '#disk-io';
import * as assert from 'uvu/assert';
import { Disk, Formats } from '../../boards/core/formats.test-helper.ts';
import { Structs } from '../../boards/core/structs.ts';
import type { Field } from '../../boards/core/struct-value.ts';
import * as L from '../layout.ts';

/** Of writer-state.ts. */
const WRITER_BYTES = 0x10000;
const STAGE_AREA_BYTES = 8 * 0x30000 + (2 << 13);
const TAG_KIND = 0xff00;
const TAG_TABLE = 0x200;
/** Chunks that the test fills; below lie the writer's own buffers. */
export const FIRST = 64;
const MEMORY_CHUNKS = 448;
export const [TABLE_LBA, IMAGE_LBA] = [100, 1000] as const;
export const [SYSTEM, EPOCH] = [11, 5] as const;

/** A command as the HBA sees it: where its bytes come from, and where they go. */
export interface Write {
  tag: number;
  lba: number;
  blocks: number;
  /** Pieces of memory, address and bytes. */
  from: [number, number][];
  /** Its bytes when it was sent. */
  data: Uint8Array;
  isTable: boolean;
}

/** How a command ends: host status, SCSI status, sense key. */
export const ANSWERS = {
  good: [L.HOST_OK, 0, 0],
  medium: [L.HOST_OK, 2, 0x3],
  attention: [L.HOST_OK, 2, 0x6],
  refused: [L.HOST_OK, 2, 0x5],
  busy: [L.HOST_OK, 0x08, 0],
  conflict: [L.HOST_OK, 0x18, 0],
  path: [L.HOST_NO_TARGET, 0, 0],
  lost: [L.HOST_TIMEOUT, 0, 0],
} as const;
export type Answer = keyof typeof ANSWERS;

export interface RigOptions {
  codec?: number;
  pastErrors?: boolean;
  imageBlocks?: number;
  tableRoom?: number;
  batchBlocks?: number;
  ring?: number;
}

export class WriterRig {
  readonly io = new Formats(
    instantiateSync({ memory: new WebAssembly.Memory({ initial: FIRST + MEMORY_CHUNKS, maximum: 65536 }) }),
  );
  readonly disk = new Disk(200_000);
  /** What was taken out of the ring and is not answered yet, in the order in which it was sent. */
  readonly out: Write[] = [];
  readonly sent: Write[] = [];
  readonly #area = this.io.room(WRITER_BYTES);
  readonly #ring: number;
  readonly #entries: number;
  readonly #cqe = this.io.room(L.CQE_BYTES);
  readonly #fields: ReadonlyMap<string, Field>;
  #head = 0;

  constructor(options: RigOptions = {}) {
    const { io } = this;
    const struct = Structs.load().structs.get('writer')!;
    this.#fields = new Map(struct.fields.map((field) => [field.name, field]));
    this.#entries = options.ring ?? 64;
    this.#ring = io.room(this.#entries * L.SQE_BYTES);
    const given = {
      sq: this.#ring,
      sq_mask: this.#entries - 1,
      target: 7,
      port: 1,
      system: SYSTEM,
      epoch: EPOCH,
      table_room: options.tableRoom ?? 64,
      table_lba: TABLE_LBA,
      image_lba: IMAGE_LBA,
      image_blocks: options.imageBlocks ?? 190_000,
      codec: options.codec ?? 0,
      stage: io.room(STAGE_AREA_BYTES),
      mend: io.room(L.CHUNK_BYTES),
      batch_blocks: options.batchBlocks ?? 0,
    };
    assert.ok(io.room(1) <= FIRST * L.CHUNK_BYTES, 'the buffers lie below the chunks');
    for (const [name, value] of Object.entries(given)) this.set(name, value);
    io.call('writer_begin', this.#area, options.pastErrors === true ? 1 : 0);
  }

  #field(name: string): { at: number; bytes: number } {
    const field = this.#fields.get(name);
    if (field === undefined) throw new Error(`Writer has no ${name}`);
    return { at: this.#area + field.at, bytes: field.bytes };
  }

  set(name: string, value: number): void {
    const { at, bytes } = this.#field(name);
    if (bytes === 8) this.io.view.setBigUint64(at, BigInt(value), true);
    else this.io.view.setUint32(at, value, true);
  }

  get(name: string): number {
    const { at, bytes } = this.#field(name);
    return bytes === 8 ? Number(this.io.view.getBigUint64(at, true)) : this.io.view.getUint32(at, true);
  }

  memory(chunk: number): Uint8Array {
    return this.io.part(chunk * L.CHUNK_BYTES, L.CHUNK_BYTES);
  }

  offer(chunk: number, poison = 0): boolean {
    const taken = this.io.call('writer_offer', this.#area, chunk, 0, poison) === 1;
    this.fetch();
    return taken;
  }

  leaveOut(chunk: number): boolean {
    return this.io.call('writer_leave_out', this.#area, chunk, L.MISSING_POISONED) === 1;
  }

  step(): void {
    this.io.call('writer_step', this.#area);
    this.fetch();
  }

  /** True when it takes a completion of this tag for its own. */
  isOwn(tag: number): boolean {
    return this.io.call('writer_done', this.#area, tag, 0) === 1;
  }

  get isDrained(): boolean {
    return this.io.call('writer_drained', this.#area) === 1;
  }

  /** As an HBA does at its doorbell: takes what is new in the ring. */
  fetch(): void {
    const tail = this.get('sq_tail');
    assert.ok(tail - this.#head + this.out.length <= this.#entries, 'no more out than the ring has entries');
    for (; this.#head !== tail; this.#head++) {
      const write = this.#entry(this.#ring + (this.#head & (this.#entries - 1)) * L.SQE_BYTES);
      this.out.push(write);
      this.sent.push(write);
    }
    assert.is(this.get('in_flight'), this.out.length);
  }

  #entry(at: number): Write {
    const { view } = this.io;
    assert.equal([view.getUint16(at + L.SQE_TARGET_AT, true), view.getUint8(at + L.SQE_PORT_AT)], [7, 1]);
    assert.is(view.getUint8(at + L.SQE_FLAGS_AT), L.SQE_DATA_OUT);
    const cdb = at + L.SQE_CDB_AT;
    assert.is(view.getUint8(cdb), 0x8a, 'WRITE(16)');
    const tag = view.getUint32(at + L.SQE_TAG_AT, true);
    const blocks = view.getUint32(cdb + 10);
    const bytes = view.getUint32(at + L.SQE_DATA_BYTES_AT, true);
    assert.is(bytes, blocks * L.SECTOR_BYTES);
    const list = view.getUint32(at + L.SQE_SGL_AT, true);
    const count = view.getUint16(at + L.SQE_SGL_COUNT_AT, true);
    const from = Array.from({ length: count }, (_, i): [number, number] => [
      view.getUint32(list + i * 8, true),
      view.getUint32(list + i * 8 + 4, true),
    ]);
    if (count === 0) from.push([list, bytes]);
    const write = {
      tag,
      lba: Number(view.getBigUint64(cdb + 2)),
      blocks,
      from,
      isTable: (tag & TAG_KIND) === TAG_TABLE,
    };
    return { ...write, data: this.#gathered(from, bytes) };
  }

  #gathered(from: readonly [number, number][], bytes: number): Uint8Array {
    const data = Buffer.concat(from.map(([at, count]) => this.io.part(at, count)));
    assert.is(data.length, bytes);
    return data;
  }

  /** Ends the n-th of the commands that are out. */
  answer(n: number, how: Answer = 'good'): Write {
    const [write] = this.out.splice(n, 1);
    if (write === undefined) throw new Error(`no command ${n} is out`);
    assert.is(
      Buffer.compare(this.#gathered(write.from, write.data.length), write.data),
      0,
      'DMA takes it later',
    );
    if (how === 'good') this.disk.write(write.lba * L.SECTOR_BYTES, write.data);
    const [host, status, key] = ANSWERS[how];
    const { view } = this.io;
    this.io.part(this.#cqe, L.CQE_BYTES).fill(0);
    view.setUint32(this.#cqe + L.CQE_TAG_AT, write.tag, true);
    view.setUint8(this.#cqe + L.CQE_HOST_STATUS_AT, host);
    view.setUint8(this.#cqe + L.CQE_STATUS_AT, status);
    view.setUint8(this.#cqe + L.CQE_SENSE_LENGTH_AT, key === 0 ? 0 : 18);
    view.setUint8(this.#cqe + L.CQE_SENSE_AT, 0x70);
    view.setUint8(this.#cqe + L.CQE_SENSE_AT + 2, key);
    const outcome = this.io.call('outcome_of', this.#cqe);
    assert.is(this.io.call('writer_done', this.#area, write.tag, outcome), 1);
    return write;
  }

  /** Offers the chunks in this order and answers as `answer` likes, until the writer has nothing more to do. */
  dump(chunks: readonly number[], answer: (rig: WriterRig) => void = (rig) => rig.answer(0)): void {
    let next = 0;
    for (let turn = 0; !(this.get('closing') === 1 && this.isDrained); turn++) {
      if (turn > 20_000) throw new Error('it does not end');
      this.set('now', turn * 100);
      this.step();
      while (next < chunks.length && this.get('no_room') === 0 && this.offer(chunks[next]!)) next++;
      if (next === chunks.length || this.get('no_room') === 1) this.set('closing', 1);
      this.fetch();
      if (this.out.length > 0) answer(this);
    }
  }
}
