/**
 * What a board looks like to gdb: an i386, whose program counter is the offset in the wasm code and whose other
 * registers are not available, with the board's RAM as its memory. It can be read, never written.
 *
 * [gdb] Debugging with GDB, appendix E.2 packets, E.3 stop reply packets, E.4 general query packets; G.5.7 i386 features
 */
import { hexOf } from './hex.ts';
import { PACKET_MAX } from './rsp-packet.ts';
import type { MemorySource } from './memory-source.ts';
import { MISSING, word } from './words.ts';

/** What else `monitor` can do: text of a command, or null for one that it does not know. */
export type Monitor = (command: string) => Promise<string | null>;

export interface Reply {
  packets: string[];
  /** The session is over. */
  end?: true;
  /** From now on packets are not acknowledged. */
  quiet?: true;
}

const READ_MAX = PACKET_MAX / 2;
const EIP = 8;
/** Bytes of each register: 16 of the core, 8 of the x87 stack, 8 of its control. */
const REGISTERS = [...Array<number>(16).fill(4), ...Array<number>(8).fill(10), ...Array<number>(8).fill(4)];

const CORE = [
  'eax',
  'ecx',
  'edx',
  'ebx',
  'esp',
  'ebp',
  'esi',
  'edi',
  'eip',
  'eflags',
  'cs',
  'ss',
  'ds',
  'es',
  'fs',
  'gs',
];
const X87 = ['fctrl', 'fstat', 'ftag', 'fiseg', 'fioff', 'foseg', 'fooff', 'fop'];
const TYPES: Readonly<Record<string, string>> = { esp: 'data_ptr', ebp: 'data_ptr', eip: 'code_ptr' };

const TARGET_XML = [
  '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target><architecture>i386</architecture><feature name="org.gnu.gdb.i386.core">',
  ...CORE.map((name) => `<reg name="${name}" bitsize="32" type="${TYPES[name] ?? 'int32'}"/>`),
  ...Array.from({ length: 8 }, (_, i) => `<reg name="st${i}" bitsize="80" type="i387_ext"/>`),
  ...X87.map((name) => `<reg name="${name}" bitsize="32" type="int" group="float"/>`),
  '</feature></target>',
].join('');

const toHex = (text: string): string => Buffer.from(text).toString('hex');
const ok = { packets: ['OK'] };
const unknown = { packets: [''] };
const refused = { packets: ['E01'] };

export class RspTarget {
  readonly #source: MemorySource;
  readonly #monitor: Monitor;

  constructor(source: MemorySource, monitor: Monitor) {
    this.#source = source;
    this.#monitor = monitor;
  }

  /** The answer to a packet; an empty one is an unknown packet, as the protocol wants. */
  async answer(data: string): Promise<Reply> {
    switch (data.charAt(0)) {
      case '?':
        return this.#stopped();
      case 'g':
        return { packets: [await this.#registers()] };
      case 'p':
        return this.#register(data);
      case 'm':
        return this.#memory(data);
      case 'H':
      case 'T':
        return ok;
      case 'D':
        return { packets: ['OK'], end: true };
      case 'k':
        return { packets: [], end: true };
      case 'c':
      case 'M':
      case 'X':
      case 'G':
      case 'P':
      case 's':
      case 'S':
      case 'C':
        return refused;
      case 'q':
      case 'Q':
        return this.#query(data);
      default:
        return unknown;
    }
  }

  /** gdb asks the board to stop; for all that gdb sees of it, it has. */
  interrupt(): Reply {
    return this.#stopped();
  }

  /** SIGABRT of a board that panicked, SIGINT of one that was stopped. */
  #stopped(): Reply {
    return { packets: [`T${this.#source.kind === 'live board' ? '02' : '06'}thread:1;`] };
  }

  async #registers(): Promise<string> {
    const { pc } = await this.#source.registers();
    return REGISTERS.map((bytes, i) => (i === EIP ? littleEndian(pc) : 'xx'.repeat(bytes))).join('');
  }

  async #register(data: string): Promise<Reply> {
    const number = /^p([0-9a-f]{1,4})$/i.exec(data);
    const index = number === null ? -1 : Number.parseInt(number[1]!, 16);
    const bytes = REGISTERS[index];
    if (bytes === undefined) return refused;
    return {
      packets: [index === EIP ? littleEndian((await this.#source.registers()).pc) : 'xx'.repeat(bytes)],
    };
  }

  /** As much as there is from the first byte on; an error when that one is missing. */
  async #memory(data: string): Promise<Reply> {
    const found = /^m([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(data);
    if (found === null) return refused;
    const address = Number.parseInt(found[1]!, 16);
    const bytes = Math.min(Number.parseInt(found[2]!, 16), READ_MAX);
    if (!(address < 2 ** 32)) return { packets: ['E14'] };
    if (bytes === 0) return unknown;
    const first = (await this.#source.read(address, bytes))[0];
    return { packets: [first?.content ? Buffer.from(first.content).toString('hex') : 'E14'] };
  }

  async #query(data: string): Promise<Reply> {
    switch (/^[^:,;]*/.exec(data)?.[0] ?? '') {
      case 'qSupported':
        return { packets: [`PacketSize=${PACKET_MAX.toString(16)};qXfer:features:read+;QStartNoAckMode+`] };
      case 'QStartNoAckMode':
        return { packets: ['OK'], quiet: true };
      case 'qXfer':
        return { packets: [features(data)] };
      case 'qAttached':
        return { packets: ['1'] };
      case 'qC':
        return { packets: ['QC1'] };
      case 'qfThreadInfo':
        return { packets: ['m1'] };
      case 'qsThreadInfo':
        return { packets: ['l'] };
      case 'qThreadExtraInfo':
        return { packets: [toHex(`${this.#source.kind} ${this.#source.name}`.slice(0, 200))] };
      case 'qSymbol':
        return ok;
      case 'qRcmd':
        return this.#command(data);
      default:
        return unknown;
    }
  }

  async #command(data: string): Promise<Reply> {
    const hex = data.slice('qRcmd,'.length);
    if (!/^([0-9a-f]{2})*$/i.test(hex)) return refused;
    const command = Buffer.from(hex, 'hex').toString().trim();
    const text =
      (await this.#why(command)) ??
      (await this.#monitor(command)) ??
      'monitor knows: info, log, trace, why ADDRESS\n';
    const parts = toHex(text).match(new RegExp(`.{1,${READ_MAX}}`, 'g')) ?? [];
    return { packets: [...parts.map((part) => `O${part}`), 'OK'] };
  }

  async #why(command: string): Promise<string | null> {
    const found = /^why (0x[0-9a-f]{1,8}|\d{1,10})$/i.exec(command);
    if (found === null) return null;
    const address = Number(found[1]);
    const [piece] = await this.#source.read(address, 1);
    const state = piece?.content ? 'is there' : word(MISSING, piece?.reason ?? 0);
    return `0x${hexOf(address)}: ${state}\n`;
  }
}

const littleEndian = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString('hex');
};

/** A piece of the target description: `l` when it is the last, `m` when more follows. */
function features(data: string): string {
  const found = /^qXfer:features:read:target\.xml:([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(data);
  if (found === null) return data.startsWith('qXfer:features:read:') ? 'E00' : '';
  const from = Number.parseInt(found[1]!, 16);
  const bytes = Math.min(Number.parseInt(found[2]!, 16), READ_MAX);
  const part = TARGET_XML.slice(from, from + bytes);
  return `${from + bytes >= TARGET_XML.length ? 'l' : 'm'}${part}`;
}
