/** Why a port cannot be opened, in words that say what to do. bindings-cpp has only the text of its errors. */
import { statSync } from 'node:fs';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';

/** Numbers of groups are host things; the file that names them is read by who asks. */
export type GroupName = (gid: number) => string | null;

export function portError(path: string, error: Error, groupName: GroupName): InputError {
  const no = (what: string): InputError => new InputError(`${path}: ${what}`, EXIT_BAD_PORT);
  const text = error.message;
  if (/no such file|file not found|unknown error code 2\b/i.test(text)) {
    return no('no such port; sparecore ports lists those that are there');
  }
  if (/permission denied|access denied/i.test(text))
    return no(`no permission to open it; ${advice(path, groupName)}`);
  if (/cannot lock port|resource busy|resource temporarily unavailable/i.test(text)) {
    return no('in use by another program; close it there first');
  }
  if (/inappropriate ioctl|is a directory|not a typewriter/i.test(text)) return no('is not a serial port');
  return no(`cannot be opened: ${text.replace(/^Error:? /, '').split('\n')[0]}`);
}

function advice(path: string, groupName: GroupName): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'ask who administers this machine';
  const group = groupName(stat.gid) ?? `number ${stat.gid}`;
  return (stat.mode & 0o060) === 0o060 && stat.gid !== 0
    ? `it is open to the group ${group}: sudo usermod -aG ${group} "$USER", then log in again`
    : `only its owner may (group ${group}, mode ${(stat.mode & 0o777).toString(8)})`;
}

/** The name of a group in the text of /etc/group. */
export function groupIn(text: string, gid: number): string | null {
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name !== undefined && Number(number) === gid && number !== '') return name;
  }
  return null;
}
