// What the output can show.
export interface Look {
  /** The output is a terminal that can redraw lines. */
  live: boolean;
  color: boolean;
  unicode: boolean;
  columns: () => number;
  rows: () => number;
}

interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

const isUtf8 = (env: NodeJS.ProcessEnv): boolean =>
  /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');

/** NO_COLOR [no-color.org] and TERM decide, not the user's taste. */
export function lookOf(output: Output, env: NodeJS.ProcessEnv): Look {
  const isTerminal = output.isTTY === true && env['TERM'] !== 'dumb';
  return {
    live: isTerminal && !isCI(env),
    color: isTerminal && (env['NO_COLOR'] ?? '') === '',
    unicode: isTerminal && isUtf8(env),
    columns: () => (output.isTTY === true ? output.columns || 80 : Infinity),
    rows: () => (output.isTTY === true ? output.rows || 24 : 0),
  };
}

const isCI = (env: NodeJS.ProcessEnv): boolean => !['', '0', 'false'].includes(env['CI'] ?? '');

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Paint = keyof typeof CODES;

export const paint = (look: Look, as: Paint, text: string): string =>
  look.color && text !== '' ? `\x1b[${CODES[as]}m${text}\x1b[0m` : text;

/** A plain look, for output that is piped. */
export const PLAIN: Look = {
  live: false,
  color: false,
  unicode: false,
  columns: () => Infinity,
  rows: () => 0,
};
