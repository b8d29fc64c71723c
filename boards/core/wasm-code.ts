/**
 * The functions of a WebAssembly module: where each one's code lies in the file, and its name. A program counter is an
 * offset in the file.
 *
 * [wasm] WebAssembly core 2.0: 5.5 modules, 5.5.13 code section; appendix 7.4.1 name section
 */
export interface CodeRange {
  /** Function index: imports count first. */
  index: number;
  name: string;
  from: number;
  to: number;
}

const CUSTOM = 0;
const IMPORT = 2;
const CODE = 10;
const FUNCTION_NAMES = 1;

/** Reads bytes in a row; past the end everything is 0, so that a cut module has fewer functions and no more. */
class Cursor {
  at: number;
  readonly bytes: Uint8Array;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = Math.min(end, bytes.length);
  }

  get more(): boolean {
    return this.at < this.end;
  }

  u8(): number {
    return this.bytes[this.at++] ?? 0;
  }

  /** LEB128, [wasm] 5.2.2. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  text(): string {
    const bytes = this.u32();
    const from = this.at;
    this.at = Math.min(this.end, from + bytes);
    return new TextDecoder().decode(this.bytes.subarray(from, this.at));
  }
}

/** By rising offset. */
export function codeOf(module: Uint8Array): CodeRange[] {
  let imports = 0;
  const bodies: { from: number; to: number }[] = [];
  const names = new Map<number, string>();
  for (const cursor = new Cursor(module, 8, module.length); cursor.more;) {
    const id = cursor.u8();
    const bytes = cursor.u32();
    const section = new Cursor(module, cursor.at, cursor.at + bytes);
    if (id === IMPORT) imports = importedFunctions(section);
    else if (id === CODE) bodies.push(...bodiesOf(section));
    else if (id === CUSTOM && section.text() === 'name') readNames(section, names);
    cursor.at += bytes;
  }
  return bodies.map((body, i) => ({
    ...body,
    index: imports + i,
    name: names.get(imports + i) ?? `function ${imports + i}`,
  }));
}

/** [wasm] 5.5.5 */
function importedFunctions(section: Cursor): number {
  let functions = 0;
  for (let left = section.u32(); left > 0 && section.more; left--) {
    section.text();
    section.text();
    const kind = section.u8();
    if (kind === 0) functions++;
    if (kind === 1) section.u8(); // table: type, then limits
    if (kind === 1 || kind === 2) {
      const limits = section.u8();
      section.u32();
      if (limits & 1) section.u32();
    } else if (kind === 3) section.at += 2;
    else section.u32();
  }
  return functions;
}

function bodiesOf(section: Cursor): { from: number; to: number }[] {
  const bodies: { from: number; to: number }[] = [];
  for (let left = section.u32(); left > 0 && section.more; left--) {
    const bytes = section.u32();
    bodies.push({ from: section.at, to: section.at + bytes });
    section.at += bytes;
  }
  return bodies;
}

function readNames(section: Cursor, names: Map<number, string>): void {
  while (section.more) {
    const id = section.u8();
    const bytes = section.u32();
    const part = new Cursor(section.bytes, section.at, section.at + bytes);
    if (id === FUNCTION_NAMES) {
      for (let left = part.u32(); left > 0 && part.more; left--) names.set(part.u32(), part.text());
    }
    section.at += bytes;
  }
}
