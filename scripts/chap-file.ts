// CHAP secrets from files.
import { readFileSync, statSync } from 'node:fs';
import { EXIT_BAD_SECRET, InputError } from '../boards/input-error.ts';
import type { ChapSecrets } from '../boards/iscsi/server.ts';

export interface UserFile {
  user: string;
  file: string;
}

export function secretsOf(chap: UserFile | undefined, chapMutual: UserFile | undefined): ChapSecrets | null {
  if (chap === undefined) {
    if (chapMutual === undefined) return null;
    throw new InputError('--chap-mutual goes with --chap', EXIT_BAD_SECRET);
  }
  return {
    user: chap.user,
    secret: secretOf(chap.file),
    ...(chapMutual === undefined
      ? {}
      : { mutual: { user: chapMutual.user, secret: secretOf(chapMutual.file) } }),
  };
}

/** The first line of the file; [RFC 7143] 9.2.1 asks for 96 bits at least. */
function secretOf(file: string): string {
  const no = (what: string): never => {
    throw new InputError(`${file}: ${what}`, EXIT_BAD_SECRET);
  };
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return no('no such file; it must hold the CHAP secret');
  if (!stat.isFile() || stat.size > 4096) return no('is not a file of one line with the CHAP secret');
  if ((stat.mode & 0o077) !== 0) return no('can be read by others; chmod 600 it');
  const secret = readFileSync(file, 'utf8').split('\n')[0]!.trimEnd();
  if (Buffer.byteLength(secret) < 12) return no('the CHAP secret must have at least 12 characters');
  return secret;
}
