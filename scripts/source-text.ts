/** A string literal, or a piece of a template between two substitutions. */
export interface StringLiteral {
  /** Offset of the opening quote, or of what opens the piece of a template. */
  at: number;
  text: string;
}

export interface SourceText {
  /** The source with comments and the insides of strings and regular expressions blanked; offsets stay. */
  code: string;
  strings: StringLiteral[];
}

const REGEX_AFTER_WORD = /\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;

/** A slash begins a regular expression where no operand stands before it. */
function beginsRegex(before: string): boolean {
  const trimmed = before.trimEnd();
  const last = trimmed.at(-1);
  return last === undefined || '(,=:[!&|?{};+-*%<>~^'.includes(last) || REGEX_AFTER_WORD.test(trimmed);
}

/** Splits TypeScript, JavaScript or AssemblyScript into code and strings: as much of a lexer as a check needs. */
export function splitSource(source: string): SourceText {
  const strings: StringLiteral[] = [];
  let code = '';
  let at = 0;
  /** Depth of braces at which each template that is open goes on. */
  const templates: number[] = [];
  let depth = 0;

  const keep = (length: number): void => {
    code += source.slice(at, at + length);
    at += length;
  };
  const blank = (length: number): void => {
    code += source.slice(at, at + length).replace(/[^\n]/g, ' ');
    at += length;
  };
  const lengthTo = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    return (found === null ? source.length : found.index + found[0].length) - at;
  };
  /** From inside a template up to its end or its next substitution. */
  const templatePiece = (opening: number): void => {
    const length = lengthTo(/(?:\\[^]|(?!`|\$\{)[^\\])*/g);
    strings.push({ at: opening, text: source.slice(at, at + length) });
    blank(length);
    if (source.startsWith('${', at)) {
      templates.push(depth++);
      keep(2);
    } else keep(1);
  };

  while (at < source.length) {
    const character = source[at];
    if (source.startsWith('//', at)) blank(lengthTo(/[^\n]*/g));
    else if (source.startsWith('/*', at)) blank(lengthTo(/\*\//g));
    else if (character === "'" || character === '"') {
      const body = lengthTo(character === "'" ? /'(?:\\[^]|[^\\'\n])*/g : /"(?:\\[^]|[^\\"\n])*/g) - 1;
      strings.push({ at, text: source.slice(at + 1, at + 1 + body) });
      keep(1);
      blank(body);
      keep(1);
    } else if (character === '`') {
      keep(1);
      templatePiece(at - 1);
    } else if (character === '{') {
      depth++;
      keep(1);
    } else if (character === '}') {
      depth--;
      keep(1);
      if (templates.at(-1) === depth) {
        templates.pop();
        templatePiece(at - 1);
      }
    } else if (character === '/' && beginsRegex(code.slice(-80))) {
      const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\//y;
      regex.lastIndex = at;
      blank(regex.exec(source)?.[0].length ?? 1);
      code = `${code.slice(0, -1)}/`;
    } else keep(1);
  }
  return { code, strings };
}

export interface ImportedName {
  at: number;
  specifier: string;
}

/** What a source imports, exports from, or requires, by specifier. */
export function importsOf({ code, strings }: SourceText): ImportedName[] {
  const imports: ImportedName[] = [];
  for (const { at, text } of strings) {
    const before = code.slice(Math.max(0, at - 80), at);
    if (/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*$/.test(before))
      imports.push({ at, specifier: text });
  }
  return imports;
}

export function lineOf(source: string, at: number): number {
  let line = 1;
  for (let next = source.indexOf('\n'); next !== -1 && next < at; next = source.indexOf('\n', next + 1))
    line++;
  return line;
}
