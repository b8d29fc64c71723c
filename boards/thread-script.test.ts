// Where the scripts of worker threads lie.
import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_FIRMWARE, InputError } from './input-error.ts';
import { threadScript } from './thread-script.ts';

test('a script that the build has made is found, and one that it has not is refused at once', () => {
  assert.ok(existsSync(threadScript('emulated/second-thread')));
  assert.throws(
    () => threadScript('emulated/nothing'),
    (error: unknown) =>
      error instanceof InputError &&
      error.exitCode === EXIT_BAD_FIRMWARE &&
      error.message.endsWith('nothing.js: is not there; npm run build makes it'),
  );
});

test.run();
