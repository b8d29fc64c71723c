// Makes a fresh clone ready: the packages of the lock-file, then the build. Silent when nothing is to be done.
// Node built-ins only.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LOCK, ROOT, build, isBuilt } from './build.mjs';
import { withLock } from './setup-lock.mjs';

const OLDEST_NODE = 20;
const CI_ARGUMENTS = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];

const stampPath = (root) => join(root, 'node_modules/.sparecore-installed');

function wanted(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.version).digest('hex');
}

/** `npm ci` begins by removing node_modules, and the stamp with it. */
function isInstalled(root) {
  const stamp = stampPath(root);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted(root);
}

function install(root) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const run = spawnSync(npm, CI_ARGUMENTS, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  if (run.error === undefined && run.status === 0) {
    mkdirSync(join(root, 'node_modules'), { recursive: true }); // npm makes none for a lock-file without packages
    writeFileSync(stampPath(root), wanted(root));
    return null;
  }
  const errors = `${run.stderr ?? ''}`
    .split('\n')
    .filter((line) => /^npm (error|ERR!) (?!A complete log)/.test(line));
  const reason =
    run.error?.message ?? errors.map((line) => line.replace(/^npm (error|ERR!) /, '')).join('; ');
  return `npm ci failed (${reason || `exit code ${run.status}`}): check the network and package-lock.json, then run it again`;
}

/** Returns what went wrong, one message a line; none when all is ready. */
export async function bootstrap({ root = ROOT, installOnly = false } = {}) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    return [`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer`];
  }
  const ready = () => isInstalled(root) && (installOnly || isBuilt(root));
  if (ready()) return [];
  return withLock(join(root, LOCK), async () => {
    if (!isInstalled(root)) {
      console.error('sparecore: installing packages (once for each lock-file)');
      const failure = install(root);
      if (failure !== null) return [failure];
    }
    return installOnly ? [] : build({ root, onlyChanged: true, say: console.error });
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const failures = await bootstrap({ installOnly: process.argv.includes('--install-only') });
  for (const failure of failures) console.error(`sparecore: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}
