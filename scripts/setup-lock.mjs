// One installation or build at a time in a checkout. Node built-ins only: it runs before `npm ci` has.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hostname } from 'node:os';

const POLL_MS = 100;
const NOTICE_AFTER_MS = 2_000;
const GIVE_UP_AFTER_MS = 15 * 60_000;

/** What tells a process from a later one with the same number. Empty where the system does not say. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Held by a process of this machine that is gone? A lock of another machine is never taken over. */
function isStale(text) {
  let owner;
  try {
    owner = JSON.parse(text);
  } catch {
    return true; // it is linked into place complete, so only a crash of the machine leaves it torn
  }
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return true;
  }
  const start = startOf(owner.pid);
  return owner.start !== '' && start !== '' && start !== owner.start;
}

/** Moves a stale lock away. Of two who try at once one may catch the other's new lock: it is put back. */
function removeStale(path, seen) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (read(aside) !== seen) {
    try {
      linkSync(aside, path);
    } catch {
      // a third one has it by now
    }
  }
  rmSync(aside, { force: true });
}

function tryTake(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, start: startOf(process.pid), host: hostname() }));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Runs `work` while holding the lock at `path`; waits for whoever holds it now. */
export async function withLock(path, work, { giveUpAfterMs = GIVE_UP_AFTER_MS, say = console.error } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  let waitedMs = 0;
  while (!tryTake(path)) {
    const seen = read(path);
    if (seen !== null && isStale(seen)) {
      removeStale(path, seen);
      continue;
    }
    if (waitedMs === NOTICE_AFTER_MS) say(`sparecore: waiting for another set-up of this checkout (${path})`);
    if (waitedMs >= giveUpAfterMs) {
      throw new Error(`another set-up has held ${path} for too long: end it, or remove that file`);
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
    waitedMs += POLL_MS;
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
