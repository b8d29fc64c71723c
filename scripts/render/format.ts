// Numbers and tables as text.
import type { Look } from './look.ts';

/** Seconds with as many digits as a reader of times from microseconds to minutes can use. */
export function seconds(value: number | null): string {
  if (value === null) return '-';
  const size = Math.abs(value);
  return `${value.toFixed(size < 0.1 ? 4 : size < 10 ? 3 : size < 100 ? 2 : 1)} s`;
}

export const milliseconds = (value: number): string => (value * 1000).toFixed(3);

export const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const MIB = 1 << 20;

export function bytes(value: number): string {
  if (value < 10_000) return `${value} B`;
  if (value < MIB) return `${(value / 1024).toFixed(0)} KiB`;
  const mib = value / MIB;
  if (mib >= 1024 && mib % 1024 === 0) return `${mib / 1024} GiB`;
  return `${Number.isInteger(mib) ? mib : mib.toFixed(1)} MiB`;
}

/** Transfer rates count in 10^6, as data sheets of disks do. */
export const rate = (amount: number, time: number): string =>
  time > 0 ? `${(amount / time / 1e6).toFixed(1)} MB/s` : '-';

/** Rows in columns. Numbers stand right: a column of `right` holds them. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, at) => (right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

export function bar(look: Look, share: number, width: number): string {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  const [on, off] = look.unicode ? ['█', '░'] : ['#', '.'];
  return on.repeat(full) + off.repeat(width - full);
}

/** Without what a terminal takes as a command; cut to the width. */
export function fit(text: string, width: number): string {
  const clean = text.replace(/\p{Cc}/gu, ' ');
  return clean.length <= width ? clean : clean.slice(0, Math.max(0, width));
}

/** Breaks at blanks; every line is indented as the first. */
export function wrap(text: string, width: number): string[] {
  if (text.length <= width || width < 20) return [text];
  const at = text.lastIndexOf(' ', width);
  const indent = /^ */.exec(text)?.[0] ?? '';
  if (at <= indent.length) return [text];
  return [text.slice(0, at).trimEnd(), ...wrap(`${indent}${text.slice(at + 1)}`, width)];
}

/** `a.data.0, a.data.1, a.data.2, x` as `a.data.0-2, x`. */
export function ranges(names: readonly string[]): string {
  const parts: { stem: string; from: number; to: number }[] = [];
  const texts: (number | string)[] = [];
  for (const name of names) {
    const [, stem, digits] = /^(.*\.)(\d+)$/.exec(name) ?? [];
    const last = parts.at(-1);
    if (stem === undefined || digits === undefined) texts.push(name);
    else if (last?.stem === stem && last.to + 1 === Number(digits) && texts.at(-1) === parts.length - 1) {
      last.to++;
    } else {
      parts.push({ stem, from: Number(digits), to: Number(digits) });
      texts.push(parts.length - 1);
    }
  }
  return texts
    .map((text) => {
      if (typeof text === 'string') return text;
      const part = parts[text];
      if (part === undefined) return '';
      return part.from === part.to ? `${part.stem}${part.from}` : `${part.stem}${part.from}-${part.to}`;
    })
    .join(', ');
}
