/** One run at a time on a folder of disks: two would each think that the disks are theirs. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';

const NAME = 'sparecore.lock';

/** Takes the folder; the returned function lets it go. A lock whose process is gone is taken over. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, NAME);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = Number.parseInt(readFileSync(path, 'utf8'), 10);
      if (isAlive(owner)) {
        throw new InputError(
          `${folder}: process ${owner} is using these disks; wait for it, or use another folder`,
          EXIT_BAD_IMAGE,
        );
      }
      rmSync(path, { force: true });
    }
  }
  throw new InputError(
    `${folder}: cannot be locked; remove ${NAME} if no run is using these disks`,
    EXIT_BAD_IMAGE,
  );
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
