// The bench as one HTML file that needs nothing else: bars of the dumps, each with its references, and the goals.
import { nameOf } from './cases.ts';
import { goalTable } from './table.ts';
import { type DumpBench, type DumpRow, rateOf } from './result.ts';

const WIDTH = 900;
const LABEL = 330;
const BAR = 14;
const GAP = 10;

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

interface Bar {
  name: string;
  rate: number;
  own: boolean;
}

const barsOf = (row: DumpRow): Bar[] => [
  { name: nameOf(row), rate: rateOf(row.memoryMib, row.seconds), own: true },
  ...row.references.map(({ name, seconds }) => ({ name, rate: rateOf(row.memoryMib, seconds), own: false })),
];

export function chartSvg(rows: readonly DumpRow[]): string {
  const groups = rows.map(barsOf);
  const most = Math.max(...groups.flat().map(({ rate }) => rate), 0.001);
  const scale = (WIDTH - LABEL - 60) / most;
  let y = GAP;
  const parts: string[] = [];
  for (const group of groups) {
    for (const { name, rate, own } of group) {
      const width = (rate * scale).toFixed(1);
      const middle = y + BAR - 3;
      parts.push(
        `<text x="${LABEL - 8}" y="${middle}" text-anchor="end"${own ? ' class="own"' : ''}>${escapeXml(name)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width}" height="${BAR}" class="${own ? 'dump' : 'reference'}"/>`,
        `<text x="${(LABEL + rate * scale + 5).toFixed(1)}" y="${middle}">${rate.toFixed(2)}</text>`,
      );
      y += BAR + 2;
    }
    y += GAP;
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" ` +
    `aria-label="GB of memory dumped a second">\n${parts.join('\n')}\n</svg>`
  );
}

const STYLE =
  'body{font:14px sans-serif;margin:2em;max-width:60em}svg text{font:11px sans-serif}.own{font-weight:bold}' +
  '.dump{fill:#1b6ca8}.reference{fill:#bbb}pre{background:#f4f4f4;padding:1em;overflow:auto}';

export function chartHtml(bench: DumpBench): string {
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>sparecore bench dump</title>',
    `<style>${STYLE}</style>`,
    '<h1>Dumps: GB of board memory a second</h1>',
    `<p>${escapeXml(bench.host)}. Blue: the firmware of a board, from its panic to the closed header. Grey: native references of the same run.</p>`,
    chartSvg(bench.rows),
    `<pre>${escapeXml(goalTable(bench.goals).join('\n'))}</pre>`,
    '</html>',
    '',
  ].join('\n');
}
