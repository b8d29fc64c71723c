// What happened to a board, for whoever is called at night: the reason and the source line first, then how much there is.
import { PANIC_ASSERT, PANIC_MEMORY } from '../../asm/layout.ts';
import type { BoardState } from '../../boards/core/epitaph.ts';
import { hexOf } from '../../boards/core/hex.ts';
import type { MemorySource } from '../../boards/core/memory-source.ts';
import type { PanicNote } from '../../boards/core/notes.ts';
import { regionsOf } from '../../boards/core/regions.ts';
import { parsePlace } from '../../boards/core/symbols.ts';
import type { Place, Symbols } from '../../boards/core/symbols.ts';
import { ABORTS, ATTRIBUTES, BOARD_STATES, PHASES, REASONS, word } from '../../boards/core/words.ts';
import { countLine, countsOf, isSmall, mapLines } from './core-map.ts';
import { bytes, fit, seconds, table, wrap } from './format.ts';
import { type Look, paint } from './look.ts';

export interface Findings {
  source: MemorySource;
  panic: PanicNote | 'none' | null;
  /** Last lines of the log; null when the ring is missing. */
  log: string[] | null;
  symbols: Symbols | null;
  /** What the firmware's state says; for a board that has not panicked. */
  state: BoardState | null;
}

const LABEL = 9;
const CONTEXT = 2;
const CONTEXT_OF_A_SMALL_SCREEN = 1;
const LOG_LINES = 5;
const LINE_MAX = 500;
const LOG_LINES_OF_A_SMALL_SCREEN = 3;

export function infoLines(look: Look, findings: Findings): string[] {
  const { source, log } = findings;
  const lines = [
    ...headline(look, findings),
    '',
    ...block(look, 'board', boardLine(findings)),
    ...block(look, 'when', whenLine(findings)),
    ...block(look, 'dump', dumpLines(source)),
    ...block(look, 'memory', memoryLines(look, source)),
    ...block(look, 'there', source.kind === 'live board' ? [] : regionLines(source)),
    ...block(look, 'cleared', clearedLines(source)),
    ...block(
      look,
      'log',
      log === null
        ? ['the log ring is not in the dump']
        : log
            .slice(isSmall(look) ? -LOG_LINES_OF_A_SMALL_SCREEN : -LOG_LINES)
            .map((line) => fit(line, LINE_MAX)),
    ),
    ...block(look, 'problems', [...source.problems]),
    ...block(look, 'source', isSmall(look) ? [] : [`${source.kind} ${source.name}`]),
  ];
  return lines.map((line) => line.trimEnd());
}

function block(look: Look, label: string, lines: readonly string[]): string[] {
  return lines
    .flatMap((line) => (line.includes('\x1b') ? [line] : wrap(line, look.columns() - LABEL)))
    .map((line, at) => (at === 0 ? paint(look, 'bold', label.padEnd(LABEL)) : ' '.repeat(LABEL)) + line);
}

function headline(look: Look, { source, panic, symbols }: Findings): string[] {
  if (panic === null) {
    const reason = source.dump?.reason ? `PANIC: ${word(REASONS, source.dump.reason)}; ` : '';
    return [paint(look, 'red', `${reason}its record is not in the dump`)];
  }
  if (panic === 'none') return [paint(look, 'green', 'no panic is recorded in this memory')];
  const text = panic.text === '' ? '' : `: "${fit(panic.text, 200)}"`;
  const first = paint(look, 'red', `PANIC: ${word(REASONS, panic.reason)}${text}`);
  return [first, ...placeLines(look, panic, symbols)];
}

/** Where it happened: as the record has it, and as the program counter says. */
export function placeOf(panic: PanicNote, symbols: Symbols | null): Place | null {
  const written = parsePlace(panic.place);
  if (written !== null) return written;
  if (panic.line > 0 && panic.place !== '')
    return { file: panic.place, line: panic.line, column: panic.column };
  return symbols?.build === panic.build ? symbols.place(panic.pc) : null;
}

function placeLines(look: Look, panic: PanicNote, symbols: Symbols | null): string[] {
  const place = placeOf(panic, symbols);
  const trusted = symbols !== null && symbols.build === panic.build;
  // The program counter of a failed assert stands in the handler of asserts.
  const where =
    trusted && panic.pc !== 0 && panic.reason !== PANIC_ASSERT ? symbols.function(panic.pc) : null;
  const inside = where === null ? '' : ` in ${where.name}`;
  const pc = panic.pc === 0 || panic.reason === PANIC_ASSERT ? '' : ` (pc 0x${panic.pc.toString(16)})`;
  const address =
    panic.reason === PANIC_MEMORY
      ? [`  at address 0x${panic.address.toString(16).padStart(8, '0')} of the RAM`]
      : [];
  if (place === null) return [`  ${fit(panic.place, 200) || 'place not known'}${inside}${pc}`, ...address];
  const at = `${place.file}:${place.line}${place.column > 0 ? `:${place.column}` : ''}`;
  return [
    `  at ${paint(look, 'bold', fit(at, 200))}${inside}${pc}`,
    ...address,
    ...sourceLines(look, place, symbols, trusted),
  ];
}

/** The line itself between its neighbours. */
function sourceLines(look: Look, place: Place, symbols: Symbols | null, trusted: boolean): string[] {
  const source = symbols?.source(place.file) ?? null;
  const lines: string[] = [];
  if (!trusted) {
    const have = symbols === null ? 'no image here' : `here ${symbols.build}`;
    lines.push(paint(look, 'yellow', `  other build (${have}): the source may differ (--firmware FILE)`));
  }
  if (source === null || place.line > source.length) return [...lines, '  its source is not here'];
  const context = isSmall(look) ? CONTEXT_OF_A_SMALL_SCREEN : CONTEXT;
  const first = Math.max(1, place.line - context);
  const last = Math.min(source.length, place.line + context);
  const width = String(last).length;
  for (let n = first; n <= last; n++) {
    const text = fit(source[n - 1]!.replaceAll('\t', '  '), Math.min(160, look.columns() - width - 8));
    const line = `  ${n === place.line ? '>' : ' '} ${String(n).padStart(width)} | ${text}`;
    lines.push(n === place.line ? paint(look, 'bold', line) : paint(look, 'dim', line));
    if (n === place.line && place.column > 0)
      lines.push(`    ${' '.repeat(width)} | ${' '.repeat(Math.min(place.column - 1, text.length))}^`);
  }
  return lines;
}

function boardLine({ source, panic, symbols, state }: Findings): string[] {
  if (panic === 'none' && state !== null) {
    const { system, partner, epoch, state: doing } = state;
    return [`system ${system}, partner ${partner}, boot epoch ${epoch}, ${word(BOARD_STATES, doing)}`];
  }
  const known = panic === 'none' ? null : panic;
  const system = known?.system ?? source.dump?.system;
  const epoch = known?.epoch ?? source.dump?.epoch;
  const build = known?.build || source.dump?.build;
  const same =
    !build || symbols === null
      ? ''
      : symbols.build === build
        ? ', the build here'
        : `, not the build here (${symbols.build})`;
  if (system === undefined || system === null) return [source.name];
  return [`system ${system}, boot epoch ${epoch ?? '?'}, firmware ${fit(build ?? '?', 64)}${same}`];
}

/** Seconds since 1970; a time that no calendar has is told as the number that it is. */
export function utc(time: number): string {
  const date = new Date(time * 1000);
  return Number.isNaN(date.getTime())
    ? `${time} s after 1970`
    : date.toISOString().replace('T', ' ').replace('.000Z', ' UTC');
}

function whenLine({ source, panic, state }: Findings): string[] {
  if (panic === 'none' && state !== null) {
    const phase = state.phase === 0 ? '' : `, in phase "${word(PHASES, state.phase)}"`;
    return [`${seconds(Number(state.nowUs) / 1e6)} after power-on${phase}`];
  }
  const known = panic === 'none' ? null : panic;
  const time = known?.utcSeconds ?? source.dump?.utcSeconds ?? null;
  const up = known !== null ? Number(known.timeUs) : (source.dump?.failedUs ?? null);
  if (time === null && up === null) return [];
  const phase = known !== null && known.phase !== 0 ? `, in phase "${word(PHASES, known.phase)}"` : '';
  return [
    `${time === null ? '' : `${utc(time)}, `}${up === null ? '' : `${seconds(up / 1e6)} after power-on`}${phase}`,
  ];
}

function dumpLines({ dump, kind, name }: MemorySource): string[] {
  if (dump === null)
    return [kind === 'live board' ? 'none: the board is running' : `none is noted in ${kind} ${name}`];
  const cause = word(ABORTS, dump.abort);
  const state = `${word(ATTRIBUTES, dump.attribute)}${cause === '' ? '' : ` by ${cause}`}`;
  const { failedUs, startedUs, endedUs, limitMs } = dump;
  const after = (us: number): string => seconds((us - (failedUs ?? 0)) / 1e6);
  const times = startedUs === null || failedUs === null ? '' : `, ${span(startedUs, endedUs ?? 0, after)}`;
  const limit = limitMs === null ? '' : `, limit ${seconds(limitMs / 1000)}`;
  const saved = dump.saved === false ? '; not yet saved as a core file' : '';
  return [`${state}${times}${limit}${saved}`];
}

/** A header that the partner closed has no end of its own. */
function span(startedUs: number, endedUs: number, after: (us: number) => string): string {
  return endedUs > startedUs
    ? `from ${after(startedUs)} to ${after(endedUs)} after the failure`
    : `begun ${after(startedUs)} after the failure and not ended by the board`;
}

/** A board that runs has all of its memory, and nobody knows what of it is zero. */
const memoryLines = (look: Look, source: MemorySource): string[] =>
  source.kind === 'live board'
    ? [`${bytes(source.memoryBytes)} of RAM`]
    : [countLine(source.map, source.poisoned), ...mapLines(look, source.map, source.poisoned)];

/** Zero here, and not because it was. */
function clearedLines({ scrubbed }: MemorySource): string[] {
  if (scrubbed.length === 0) return [];
  const list = scrubbed.map(({ address, bytes: count }) => `${bytes(count)} at 0x${hexOf(address)}`);
  return [`before the dump, because they held secrets: ${list.join(', ')}`];
}

/** By importance: what was written first stands first. What is whole needs no more than its name. */
function regionLines(source: MemorySource): string[] {
  const whole: string[] = [];
  const rows: string[][] = [];
  for (const { name, firstChunk, chunks } of regionsOf(source)) {
    const { stored, zero } = countsOf(source.map.subarray(firstChunk, firstChunk + chunks));
    const there = stored + zero;
    if (there === chunks) whole.push(name);
    else
      rows.push([
        there === 0 ? 'nothing' : `${((there / chunks) * 100).toFixed(1)} %`,
        `of ${name}`,
        `${there} of ${chunks} chunks`,
      ]);
  }
  return [...(whole.length > 0 ? [`all of ${whole.join(', ')}`] : []), ...table(rows, [0])];
}
