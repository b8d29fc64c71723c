/**
 * Is a core or a dump image what it says? Every checksum, every copy, every count against every other. What a dump does
 * not have because it was cut is no fault of it; what contradicts itself is.
 */
import { endOf } from './records.ts';
import {
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_INACTIVE,
  CHUNK_BYTES,
  CHUNK_PAGES,
  CODEC_LOST,
  CODEC_LZ4,
  CODEC_RAW,
  CODEC_ZERO,
  MISSING_CORRUPT,
  MISSING_POISONED,
  MISSING_SEALED,
  MISSING_UNREADABLE,
  NOTE_LOG,
  NOTE_PANIC,
  NOTE_TRACE,
  PAGE_BYTES,
  SECTOR_BYTES,
  TABLE_ENTRIES,
} from '../../asm/layout.ts';
import { LOG_AT, RECORD_AT, TRACE_AT } from '../../firmware/layout.ts';
import { CoreSource } from './core-source.ts';
import { survey } from './elf-writer.ts';
import { panicOf } from './epitaph.ts';
import { DumpImage } from './image.ts';
import { ImageSource, poisonOf } from './image-source.ts';
import { isMissing, missingRuns, pageRuns, poisonedPages, readWhole } from './memory-source.ts';
import type { MemorySource } from './memory-source.ts';
import type { Copies } from './records.ts';
import { MISSING, word } from './words.ts';

export interface Check {
  what: string;
  /** What was looked at, when all is well. */
  found: string;
  problems: string[];
}

const LISTED_MAX = 20;

export async function verify(source: MemorySource): Promise<Check[]> {
  const checks: Check[] = [];
  if (source instanceof ImageSource && source.image instanceof DumpImage)
    checks.push(...imageChecks(source.image));
  if (source instanceof CoreSource) checks.push(structureCheck(source), coverageCheck(source));
  checks.push(await contentCheck(source), await recordCheck(source));
  if (source instanceof CoreSource) checks.push(await notesCheck(source));
  return checks;
}

function imageChecks(image: DumpImage): Check[] {
  const { labels, headers } = image;
  return [
    copiesCheck('label', labels, labels.newest?.name ?? ''),
    copiesCheck('coredump header', headers, `sequence ${headers.newest?.sequence}`),
    { what: 'chunk table', found: `${image.tableBlocks} blocks, whole`, problems: [...image.problems] },
    countsCheck(image),
    placesCheck(image),
    ...(image.count(MISSING_SEALED) > 0 ? [sealedCheck(image)] : []),
  ];
}

function copiesCheck(what: string, { copies, blank }: Copies<{ sequence: number }>, found: string): Check {
  const problems = copies.flatMap((copy, i) =>
    copy === null && !blank[i] ? [`copy ${i} of the ${what} is torn`] : [],
  );
  return { what: `${what}, its copies`, found, problems };
}

/** Entries of the blocks that a writer may have open or under way when it writes a header. */
const UNDER_WAY = 8 * TABLE_ENTRIES;

/**
 * The header of a dump that completed was closed last, so its counts are those of the table. One that was cut lags behind
 * the table, or is before it by what was in no block on the disk yet.
 */
function countsCheck(image: DumpImage): Check {
  const { header } = image;
  const [stored, zero, lost, poisoned] = [
    image.count(CODEC_RAW) + image.count(CODEC_LZ4) + image.count(MISSING_SEALED),
    image.count(CODEC_ZERO),
    image.count(CODEC_LOST),
    image.count(MISSING_POISONED),
  ];
  const problems: string[] = [];
  const compare = (what: string, says: number, has: number): void => {
    const isCut = endOf(header) !== ATTRIBUTE_COMPLETED;
    if (isCut ? says > has + UNDER_WAY : says !== has)
      problems.push(`the header says ${says} chunks ${what}, the table ${has}`);
  };
  compare('stored', header.stored, stored);
  compare('zero', header.zero, zero);
  if (endOf(header) === ATTRIBUTE_COMPLETED) {
    compare('lost', header.lost, lost);
    compare('poisoned', header.poisoned, poisoned);
    const rest = image.chunks - stored - zero - lost - poisoned;
    if (rest > 0) problems.push(`the header says completed, and ${rest} chunks are in no block of the table`);
  }
  const pages = poisonedPages(poisonOf(image));
  if (
    image.count(MISSING_SEALED) === 0 &&
    endOf(header) === ATTRIBUTE_COMPLETED &&
    pages !== header.poisonedPages
  )
    problems.push(`the header says ${header.poisonedPages} pages poisoned, the table ${pages}`);
  const found = `${stored} stored, ${zero} zero, ${lost} lost`;
  const gone = poisoned + pages > 0 ? `, ${poisoned} chunks and ${pages} pages poisoned` : '';
  return { what: 'header against table', found: `${found}${gone}`, problems };
}

/** Nobody without the key reads them, but that they are what was written anybody can see. */
function sealedCheck(image: DumpImage): Check {
  const problems: string[] = [];
  let exact = 0;
  for (let chunk = 0; chunk < image.chunks; chunk++) {
    if (image.state(chunk) !== MISSING_SEALED) continue;
    const isExact = image.isStoredExact(chunk);
    if (isExact === true) exact++;
    if (isExact === false) problems.push(`chunk ${chunk}: what is stored of it is not what was written`);
  }
  return { what: 'encrypted chunks, as stored', found: `${exact} checksums right`, problems: cut(problems) };
}

/** No two chunks have the same blocks of the image. */
function placesCheck(image: DumpImage): Check {
  const places: { chunk: number; at: number; end: number }[] = [];
  for (let chunk = 0; chunk < image.chunks; chunk++) {
    const { at, bytes } = image.place(chunk);
    const state = image.state(chunk);
    if (state === CODEC_RAW || state === CODEC_LZ4 || state === MISSING_SEALED)
      places.push({ chunk, at, end: at + Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES });
  }
  places.sort((a, b) => a.at - b.at);
  const problems: string[] = [];
  for (const [i, place] of places.entries()) {
    const before = places[i - 1];
    if (before && before.end > place.at)
      problems.push(`chunks ${before.chunk} and ${place.chunk} lie in the same blocks of the image`);
  }
  return {
    what: 'places in the image',
    found: `${places.length} chunks, none over another`,
    problems: cut(problems),
  };
}

function structureCheck({ core }: CoreSource): Check {
  const inPages = new Set(core.coverage?.pages.map(({ chunk }) => chunk));
  const odd = core.segments.filter(({ address, bytes }) => {
    const unit = inPages.has(Math.floor(address / CHUNK_BYTES)) ? PAGE_BYTES : CHUNK_BYTES;
    return address % unit !== 0 || bytes % unit !== 0;
  });
  const problems = odd.map(
    ({ address }) => `the segment at 0x${address.toString(16)} is not of whole chunks`,
  );
  if (core.coverage === null) problems.push('no coverage note: nothing tells why memory is missing');
  return {
    what: 'ELF core',
    found: `ELF${core.is64 ? 64 : 32}, ${core.segments.length} segments, ${core.notes.length} notes`,
    problems: cut(problems),
  };
}

function coverageCheck({ core }: CoreSource): Check {
  const { coverage, segments } = core;
  if (coverage === null)
    return { what: 'coverage against segments', found: 'no coverage note', problems: [] };
  const covered = new Uint8Array(coverage.chunks * CHUNK_PAGES);
  const problems: string[] = [];
  for (const { address, bytes } of segments) {
    if (address + bytes > coverage.chunks * CHUNK_BYTES)
      problems.push(`the segment at 0x${address.toString(16)} ends past the memory`);
    covered.fill(1, Math.floor(address / PAGE_BYTES), Math.ceil((address + bytes) / PAGE_BYTES));
  }
  for (const { firstChunk, chunks } of coverage.ranges) {
    for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++) {
      const [from, to] = [chunk * CHUNK_PAGES, (chunk + 1) * CHUNK_PAGES];
      if (covered.subarray(from, to).includes(1))
        problems.push(`chunk ${chunk} is said to be missing, and a segment has it`);
      covered.fill(2, from, to);
    }
  }
  for (const { chunk, pages } of coverage.pages) {
    for (const { offset, bytes, isPoisoned } of pageRuns(pages)) {
      const from = (chunk * CHUNK_BYTES + offset) / PAGE_BYTES;
      const run = covered.subarray(from, from + bytes / PAGE_BYTES);
      if (isPoisoned && run.includes(1))
        problems.push(`pages of chunk ${chunk} are said to be missing, and a segment has them`);
      if (isPoisoned) run.fill(2);
    }
  }
  for (let chunk = 0; chunk < coverage.chunks; chunk++) {
    if (covered.subarray(chunk * CHUNK_PAGES, (chunk + 1) * CHUNK_PAGES).includes(0))
      problems.push(`chunk ${chunk} is in no segment, and nothing says why`);
  }
  if (
    coverage.attribute === ATTRIBUTE_COMPLETED &&
    coverage.missing > 0 &&
    coverage.ranges.every(({ reason }) => reason === MISSING_CORRUPT || reason === MISSING_UNREADABLE)
  )
    problems.push(`the dump was completed, and ${coverage.missing} chunks could not be read back`);
  return {
    what: 'coverage against segments',
    found: `${coverage.stored} stored, ${coverage.zero} zero, ${coverage.missing} missing`,
    problems: cut(problems),
  };
}

/** Reads every chunk that should be there. */
async function contentCheck(source: MemorySource): Promise<Check> {
  const map = await survey(source);
  const broken = Uint8Array.from(map, (state, chunk) =>
    isMissing(state) && state !== source.map[chunk] ? state : CODEC_ZERO,
  );
  const problems = missingRuns(broken).map(({ first, chunks, reason }) => {
    const at = `0x${(first * CHUNK_BYTES).toString(16).padStart(8, '0')}`;
    return `${chunks === 1 ? `chunk ${first}` : `chunks ${first} to ${first + chunks - 1}`} (${at}): ${word(MISSING, reason)}`;
  });
  const read = map.filter((state) => !isMissing(state)).length;
  const how =
    source.kind === 'dump image' ? 'checksums right' : 'read; a core file has no checksums of its memory';
  return { what: 'content of the chunks', found: `${read} chunks, ${how}`, problems: cut(problems) };
}

/** Of a live board, or a core that was made of one. */
const isOfRunning = ({ dump }: MemorySource): boolean =>
  dump === null || dump.attribute === ATTRIBUTE_INACTIVE;

async function recordCheck(source: MemorySource): Promise<Check> {
  const panic = await panicOf(source);
  const what = 'panic record';
  if (panic === null) return { what, found: 'not in the dump', problems: [] };
  if (panic === 'none')
    return {
      what,
      found: 'no panic in it',
      problems: isOfRunning(source) ? [] : ['the dump is of a board that had no panic'],
    };
  const problems: string[] = [];
  const compare = (name: string, record: number | string, says: number | string | null | undefined): void => {
    if (says !== null && says !== undefined && says !== record)
      problems.push(`${name}: ${record} in the record, ${says} in the header`);
  };
  if (panic.memoryBytes !== source.memoryBytes)
    problems.push(`memory: ${panic.memoryBytes} bytes in the record, ${source.memoryBytes} here`);
  compare('system', panic.system, source.dump?.system);
  compare('epoch', panic.epoch, source.dump?.epoch);
  compare('reason', panic.reason, source.dump?.reason);
  compare('build', panic.build, source.dump?.build);
  return {
    what: 'panic record against the header',
    found: `system ${panic.system}, epoch ${panic.epoch}`,
    problems,
  };
}

/** The notes are what lay at their addresses. */
async function notesCheck(source: CoreSource): Promise<Check> {
  const problems: string[] = [];
  let same = 0;
  for (const [name, type, at] of [
    ['panic record', NOTE_PANIC, RECORD_AT],
    ['log', NOTE_LOG, LOG_AT],
    ['trace', NOTE_TRACE, TRACE_AT],
  ] as const) {
    const note = source.note(type);
    const memory = note === null ? null : await readWhole(source, at, note.bytes.length);
    if (note === null || memory === null) continue;
    if (Buffer.from(note.bytes).equals(memory)) same++;
    else problems.push(`the note of the ${name} is not what lies at 0x${at.toString(16)}`);
  }
  return { what: 'notes against memory', found: `${same} the same`, problems };
}

const cut = (problems: string[]): string[] =>
  problems.length <= LISTED_MAX
    ? problems
    : [...problems.slice(0, LISTED_MAX), `and ${problems.length - LISTED_MAX} more`];
