import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, formatProblem } from './check.ts';
import { ROOT } from './repository.ts';
import { importsOf, splitSource } from './source-text.ts';

/** The problems of a tree that holds these files. */
function problemsOf(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'sparecore-check-'));
  try {
    for (const [file, source] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), source);
    }
    return check(root, {}).map(formatProblem);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Table of one-file trees: the file, its source, and what its first line is refused for; null when it is fine. */
const CASES: readonly (readonly [file: string, source: string, refused: RegExp | null])[] = [
  ['asm/a.ts', `import { b } from './scsi/b';`, null],
  ['asm/a.ts', `import { b } from '../firmware/b';`, /asm imports nothing outside asm/],
  ['asm/a.ts', `import { b } from 'zod';`, /asm imports nothing outside asm/],
  ['asm/a.ts', `export * from '../boards/b';`, /asm imports nothing outside asm/],
  ['asm/layout.ts', `import { b } from './bytes';`, /constants only/],
  ['asm/glue/index.js', `import { readFileSync } from 'node:fs';`, null],
  ['asm/a.test.ts', `import { b } from '../boards/b.ts';`, null],
  ['asm/a.test.ts', `import { b } from '../../elsewhere/b.ts';`, /only what is in the repository/],
  ['firmware/a.ts', `import { b } from '../asm/b';`, null],
  ['firmware/a.ts', `import { b } from './b';`, null],
  ['firmware/a.ts', `import { b } from '../boards/b';`, /firmware imports firmware and asm only/],
  ['boards/a.ts', `import { b } from './emulated/b.ts';`, null],
  ['boards/a.ts', `import { readFileSync } from 'node:fs';`, null],
  ['boards/a.ts', `import { b } from '../asm/dump/layout.ts';`, null],
  ['boards/a.ts', `import { b } from '../firmware/layout.ts';`, null],
  ['boards/a.ts', `import { instantiate } from '#disk-io';`, null],
  ['boards/a.ts', `import { b } from '../asm/pkg/index.js';`, null],
  ['boards/a.ts', `import { b } from '../asm/bytes.ts';`, /boards imports boards, built wasm and layout/],
  [
    'boards/a.ts',
    `import { b } from '../firmware/panic.ts';`,
    /boards imports boards, built wasm and layout/,
  ],
  [
    'boards/a.ts',
    `const b = await import('../scripts/b.ts');`,
    /boards imports boards, built wasm and layout/,
  ],
  ['boards/a.ts', `import { b } from '../../elsewhere/b.ts';`, /only what is in the repository/],
  ['boards/a.ts', `import { b } from '/b.ts';`, /relative path/],
  ['scripts/a.ts', `import { b } from '../boards/b.ts';`, null],
  ['scripts/a.ts', `import { b } from 'commander';`, null],
  ['scripts/a.ts', `import { b } from '../asm/layout.ts';`, null],
  ['scripts/a.ts', `import { b } from '../asm/b.ts';`, /scripts imports scripts, boards and layout/],
  ['scripts/a.ts', `import { instantiate } from '#disk-io';`, /does not import the wasm itself/],

  ['boards/a.ts', `const at = Date.now();`, /uses Date.now \(host time\)/],
  ['boards/a.ts', `const at = new Date();`, /uses new Date \(host time\)/],
  ['boards/a.ts', `const at = new Date;`, /uses new Date \(host time\)/],
  ['boards/a.ts', `const at = Date();`, /uses Date \(host time\)/],
  ['boards/a.ts', `const at = new Date(1000n);`, null],
  ['boards/a.ts', `const at = performance.now();`, /uses performance \(host time\)/],
  ['boards/a.ts', `const at = process.hrtime.bigint();`, /uses process.hrtime \(host time\)/],
  ['boards/a.ts', `const r = Math.random();`, /uses Math.random \(host random\)/],
  ['boards/a.ts', `const r = crypto.randomUUID();`, /uses randomUUID \(host random\)/],
  ['boards/a.ts', `import { randomBytes } from 'node:crypto';`, /uses randomBytes \(host random\)/],
  ['boards/a.ts', `setTimeout(() => 1, 2);`, /uses setTimeout \(host timers\)/],
  ['boards/a.ts', `setInterval(() => 1, 2);`, /uses setInterval \(host timers\)/],
  ['boards/a.ts', `setImmediate(() => 1);`, /uses setImmediate \(host timers\)/],
  [
    'boards/a.ts',
    `import { b } from 'node:timers/promises';`,
    /imports 'node:timers\/promises' \(host timers\)/,
  ],
  ['boards/a.ts', `import { b } from 'timers';`, /imports 'timers' \(host timers\)/],
  ['boards/a.ts', `import { b } from 'node:perf_hooks';`, /imports 'node:perf_hooks' \(host time\)/],
  ['boards/a.ts', '`at ${Date.now()}`;', /uses Date.now/],
  ['boards/a.test.ts', `const at = Date.now();`, /uses Date.now/],
  ['scripts/a.ts', `const at = Date.now();`, /uses Date.now/],
  ['scripts/a.mjs', `const at = Date.now();`, /uses Date.now/],
  ['boards/a.ts', `const text = 'Date.now()'; // Date.now()`, null],
  ['boards/a.ts', `/* Date.now() */ const text = /Date.now()/;`, null],
  ['asm/a.ts', `const r = Math.random();`, /uses Math.random of the host/],
  ['firmware/a.ts', `const at = Date.now();`, /uses Date of the host/],
  ['firmware/a.ts', `const at = performance.now();`, /uses performance of the host/],

  ['boards/a.ts', `const path = '/${'home'}/someone/x';`, /path of one machine/],
  ['boards/a.ts', `const path = '/${'root'}/x';`, /path of one machine/],
  ['boards/a.ts', `const path = '/${'work'}/x';`, /path of one machine/],
  ['README.md', `See /${'work'}/x.`, /path of one machine/],
  ['boards/a.ts', `const path = './work/x' + '/workload';`, null],
  ['package-lock.json', `{"resolved": "https://mirror.example/x.tgz"}`, /registry of one machine/],
  ['package-lock.json', `{"resolved": "https://registry.npmjs.org/x.tgz"}`, null],

  ['boards/a.test.ts', `test.${'only'}('x', () => {});`, /only some of the tests/],
  ['boards/a.test.ts', `// test.${'only'}('x')`, null],
];

for (const [file, source, refused] of CASES) {
  test(`${refused === null ? 'accepts' : 'refuses'} in ${file}: ${source}`, () => {
    const problems = problemsOf({ [file]: `${source}\n` });
    if (refused === null) {
      assert.equal(problems, []);
      return;
    }
    assert.is(problems.length > 0, true);
    assert.match(problems[0]!, refused);
    assert.match(problems[0]!, new RegExp(`^${file.replaceAll('.', '\\.')}:1: .+: .+$`));
  });
}

test('boards may import a runtime dependency but not a development one', () => {
  const manifest = { 'package.json': `{"dependencies":{"zod":"1"},"devDependencies":{"fast-check":"1"}}` };
  assert.equal(problemsOf({ ...manifest, 'boards/a.ts': `import { z } from 'zod/mini';` }), []);
  assert.match(
    problemsOf({ ...manifest, 'boards/a.ts': `import fc from 'fast-check';` })[0]!,
    /move fast-check there/,
  );
});

test('a problem names the line it is on', () => {
  assert.match(
    problemsOf({ 'boards/a.ts': '/* one\ntwo */\nconst a = `\n${Date.now()}`;\n' })[0]!,
    /^boards\/a\.ts:4: /,
  );
});

test('an allowed file may use what it is allowed and nothing else', () => {
  const root = mkdtempSync(join(tmpdir(), 'sparecore-check-'));
  mkdirSync(join(root, 'boards'));
  writeFileSync(join(root, 'boards/a.ts'), 'Date.now(); Math.random();');
  const problems = check(root, {
    'boards/a.ts': { things: ['time'], reason: 'a test' },
    'boards/gone.ts': { things: ['time'], reason: 'a test' },
  }).map(formatProblem);
  rmSync(root, { recursive: true });
  assert.is(problems.length, 2);
  assert.match(problems[0]!, /Math\.random/);
  assert.match(problems[1]!, /gone\.ts:1: .*does not exist/);
});

test('generated folders are not looked at', () => {
  assert.equal(problemsOf({ 'build/js/boards/a.js': 'Date.now()', 'asm/pkg/index.js': `import 'zod';` }), []);
});

test('this repository keeps the rules', () => {
  assert.equal(check(ROOT).map(formatProblem), []);
});

test('a division is not taken for a regular expression, nor a string in a substitution for code', () => {
  const text = splitSource(
    "const a = b / c; import('x'); const d = (e) / f; `${g['`']} ${`h`}`; import y from \"z\";",
  );
  assert.equal(
    importsOf(text).map(({ specifier }) => specifier),
    ['x', 'z'],
  );
});

test.run();
