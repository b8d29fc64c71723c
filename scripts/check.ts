// The house rules that a compiler does not know: who may import whom, and that a run depends on nothing of the host.
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { ROOT, repositoryFiles } from './repository.ts';
import { importsOf, lineOf, splitSource, type SourceText } from './source-text.ts';

type HostThing = 'time' | 'random' | 'timers';

interface Allowance {
  things: readonly HostThing[];
  reason: string;
}

/** The files that may touch the host's time, randomness or timers. */
const ALLOWED: Readonly<Record<string, Allowance>> = {
  'scripts/host-clock.ts': {
    things: ['time'],
    reason: 'the one place that reads the clock, to measure sparecore',
  },
  'boards/host.ts': {
    things: ['time', 'random', 'timers'],
    reason: 'the real world: a shelf that real initiators attach to is given it',
  },
  'scripts/host-turn.ts': { things: ['timers'], reason: 'lets the host take signals while a run goes on' },
  'scripts/host-pause.ts': {
    things: ['timers'],
    reason: 'waits for processes and devices of the real world',
  },
  'scripts/setup-lock.mjs': { things: ['timers'], reason: 'waits for another set-up of the same checkout' },
  'scripts/test.ts': { things: ['timers'], reason: 'ends a test file that hangs' },
};

interface Problem {
  file: string;
  line: number;
  what: string;
  instead: string;
}

interface Ban {
  thing: HostThing;
  pattern: RegExp;
}

/** In code; comments and strings are blanked. */
const BANS: readonly Ban[] = [
  { thing: 'time', pattern: /\bDate\s*\.\s*now\b/ },
  { thing: 'time', pattern: /\bnew\s+Date\b(?!\s*\()|\bnew\s+Date\s*\(\s*\)/ },
  { thing: 'time', pattern: /(?<![\w.$]|\bnew\s{1,9})Date\s*\(/ },
  { thing: 'time', pattern: /\bperformance\s*\.|\bperformance\b(?=\s*[,}\])])/ },
  { thing: 'time', pattern: /\bprocess\s*\.\s*(?:hrtime|uptime)\b/ },
  { thing: 'random', pattern: /\bMath\s*\.\s*random\b/ },
  {
    thing: 'random',
    pattern: /\b(?:randomBytes|randomUUID|randomInt|randomFill|randomFillSync|getRandomValues)\b/,
  },
  { thing: 'timers', pattern: /\b(?:setTimeout|setInterval|setImmediate)\b/ },
  { thing: 'timers', pattern: /\bAbortSignal\s*\.\s*timeout\b/ },
];

const BANNED_MODULES: Readonly<Record<string, HostThing>> = {
  timers: 'timers',
  'timers/promises': 'timers',
  perf_hooks: 'time',
};

const INSTEAD: Readonly<Record<HostThing, string>> = {
  time: "use the clock of the run (boards/clock), or scripts/host-clock to measure; else add the file to check.ts's list",
  random: "draw from the run's seeded stream of that component (boards/random)",
  timers: "schedule it on the clock's queue (boards/clock); else add the file to check.ts's list",
};

/** AssemblyScript has these as globals of the host. */
const BANS_IN_WASM = /\bMath\s*\.\s*random\b|\bDate\b|\bperformance\b/;

const BUILT_INS = new Set(builtinModules);

/** A path of this machine or account; not a path with more before it, such as an address's. */
const MACHINE_PATH = new RegExp(String.raw`(?<![\w.:/-])/(?:work)(?![\w-])|/(?:home|root)/`);

/** Tests, and what only they import. */
const isTest = (path: string): boolean => /\.test(?:-helper)?\.ts$/.test(path);
const isScript = (path: string): boolean => /\.(?:ts|js|mjs)$/.test(path);
const isLayout = (path: string): boolean => /^(?:asm|firmware)\/(?:.*\/)?layout(?:\.ts|\.js)?$/.test(path);
const isBuiltWasm = (path: string): boolean => /^(?:asm\/pkg|build)\//.test(path);
const houseOf = (path: string): string => path.split('/', 1)[0] ?? '';

/** What may not be imported, and what to do instead; null when it may. */
function refusal(
  file: string,
  specifier: string,
  runtimePackages: ReadonlySet<string> | null,
): string | null {
  const house = houseOf(file);
  const relative = specifier.startsWith('.');
  const target = relative ? posix.normalize(posix.join(posix.dirname(file), specifier)) : '';
  if (relative && target.startsWith('..')) return 'import only what is in the repository';
  if (specifier.startsWith('/') || specifier.startsWith('file:')) return 'import by a relative path';
  if (isTest(file)) return null;
  const from = houseOf(target);
  const builtIn = specifier.startsWith('node:') || BUILT_INS.has(specifier);

  if (isLayout(file))
    return relative && isLayout(target) ? null : 'a layout file is constants only: import only layout files';
  switch (house) {
    case 'asm':
      if (file.startsWith('asm/glue/') && builtIn) return null;
      return relative && from === 'asm'
        ? null
        : 'asm imports nothing outside asm: pass it in through a host call';
    case 'firmware':
      return relative && (from === 'firmware' || from === 'asm')
        ? null
        : 'firmware imports firmware and asm only: ask the board through a declared import';
    case 'boards':
      if (relative) {
        return from === 'boards' || isBuiltWasm(target) || isLayout(target)
          ? null
          : 'boards imports boards, built wasm and layout files only: go through the module, or move the constant to layout.ts';
      }
      if (builtIn || specifier === '#disk-io') return null;
      return runtimePackages === null || runtimePackages.has(packageOf(specifier))
        ? null
        : `boards runs where only "dependencies" are installed: move ${packageOf(specifier)} there`;
    case 'scripts':
      if (relative) {
        return from === 'scripts' || from === 'boards' || isLayout(target) || target.startsWith('build/js/')
          ? null
          : 'scripts imports scripts, boards and layout files only: ask a board for it';
      }
      return specifier.startsWith('#') ? 'scripts does not import the wasm itself: ask a board for it' : null;
    default:
      return null;
  }
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function* importProblems(
  file: string,
  text: SourceText,
  packages: ReadonlySet<string> | null,
): Generator<[number, string, string]> {
  for (const { at, specifier } of importsOf(text)) {
    const instead = refusal(file, specifier, packages);
    if (instead !== null) yield [at, `imports '${specifier}'`, instead];
  }
}

function* hostProblems(
  file: string,
  text: SourceText,
  allowed: Allowance | undefined,
): Generator<[number, string, string]> {
  const house = houseOf(file);
  if ((house === 'asm' || house === 'firmware') && !isTest(file)) {
    for (const found of text.code.matchAll(new RegExp(BANS_IN_WASM, 'g'))) {
      yield [
        found.index,
        `uses ${found[0]} of the host`,
        'ask the board: timer.now for time; nothing here is random',
      ];
    }
    return;
  }
  for (const { thing, pattern } of BANS) {
    if (allowed?.things.includes(thing)) continue;
    for (const found of text.code.matchAll(new RegExp(pattern, 'g'))) {
      yield [found.index, `uses ${found[0].trim().replace(/[\s().]+$/, '')} (host ${thing})`, INSTEAD[thing]];
    }
  }
  for (const { at, specifier } of importsOf(text)) {
    const thing = BANNED_MODULES[specifier.replace(/^node:/, '')];
    if (thing === undefined || allowed?.things.includes(thing)) continue;
    yield [at, `imports '${specifier}' (host ${thing})`, INSTEAD[thing]];
  }
}

function* onlyProblems(file: string, text: SourceText): Generator<[number, string, string]> {
  if (!isTest(file)) return;
  for (const found of text.code.matchAll(/\.\s*only\s*\(/g)) {
    yield [found.index, 'runs only some of the tests', 'remove .only'];
  }
}

function* textProblems(file: string, source: string): Generator<[number, string, string]> {
  for (const found of source.matchAll(new RegExp(MACHINE_PATH, 'g'))) {
    yield [
      found.index,
      `names a path of one machine (${found[0]})`,
      'use a path relative to the file, or a temporary folder',
    ];
  }
  if (file !== 'package-lock.json') return;
  for (const found of source.matchAll(/"resolved": "(?!https:\/\/registry\.npmjs\.org\/)[^"]*"/g)) {
    yield [
      found.index,
      'names a registry of one machine',
      'install with omit-lockfile-registry-resolved=true (.npmrc)',
    ];
  }
}

function runtimePackagesOf(root: string): ReadonlySet<string> | null {
  try {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      string,
      object | undefined
    >;
    return new Set(Object.keys({ ...manifest['dependencies'], ...manifest['optionalDependencies'] }));
  } catch {
    return null;
  }
}

/** Every breach of the house rules in the tree at `root`. */
export function check(root: string, allowed: Readonly<Record<string, Allowance>> = ALLOWED): Problem[] {
  const packages = runtimePackagesOf(root);
  const files = repositoryFiles(root);
  const problems: Problem[] = [];
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    if (source.includes('\0')) continue; // not text
    const found = [...textProblems(file, source)];
    if (isScript(file) && ['asm', 'firmware', 'boards', 'scripts'].includes(houseOf(file))) {
      const text = splitSource(source);
      found.push(
        ...importProblems(file, text, packages),
        ...hostProblems(file, text, allowed[file]),
        ...onlyProblems(file, text),
      );
    }
    for (const [at, what, instead] of found) problems.push({ file, line: lineOf(source, at), what, instead });
  }
  for (const file of Object.keys(allowed)) {
    if (!files.includes(file)) {
      problems.push({
        file,
        line: 1,
        what: 'is allowed host things but does not exist',
        instead: "remove it from check.ts's list",
      });
    }
  }
  return problems;
}

export const formatProblem = ({ file, line, what, instead }: Problem): string =>
  `${file}:${line}: ${what}: ${instead}`;

if (import.meta.filename === process.argv[1]) {
  const problems = check(ROOT);
  for (const problem of problems) console.error(formatProblem(problem));
  if (problems.length > 0) process.exitCode = 1;
}
