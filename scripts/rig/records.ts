// What is known of the rigs that run: a file each, in a folder of the user's own.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlFolder } from '../control-socket.ts';
import type { RigKind } from './kinds.ts';

export interface RigRecord {
  name: string;
  kind: RigKind;
  /** What a host opens, and the board's end of the line: links that are the same for every rig of this name. */
  port: string;
  boardPort: string;
  memoryMib: number;
  /** File of its flash, public key that it trusts, and the image that it has at first; null: none. */
  flash: string;
  key: string;
  image: string | null;
  /** Of its keeper, and of its board. */
  pid: number;
  boardPid: number;
}

/** What its keeper says when it is up, or why it is not. */
export interface RigReady {
  bad: string | null;
}

export const NAME_RULE = 'a name is 1 to 32 lower-case letters, digits and hyphens';
export const isName = (name: string): boolean => /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);

export function rigFolder(): string {
  const folder = join(controlFolder(), 'rigs');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

const pathOf = (name: string): string => join(rigFolder(), `${name}.json`);

export function remember(record: RigRecord): void {
  const path = pathOf(record.name);
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function forget({ name }: RigRecord): void {
  rmSync(pathOf(name), { force: true });
}

/** Those whose keeper is alive; what dead ones left is removed. */
export function rigs(): RigRecord[] {
  const found: RigRecord[] = [];
  for (const file of readdirSync(rigFolder())
    .filter((each) => each.endsWith('.json'))
    .toSorted()) {
    const record = read(file);
    if (record === null) continue;
    if (isKeeper(record.pid)) found.push(record);
    else forget(record);
  }
  return found;
}

function read(file: string): RigRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(rigFolder(), file), 'utf8')) as RigRecord;
    return isName(record.name) && Number.isInteger(record.pid) ? record : null;
  } catch {
    return null; // it is being written, or has just gone
  }
}

/** The number of a process is given again: only one that runs the keeper is one. */
export function isKeeper(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('keeper');
  } catch {
    return false;
  }
}
