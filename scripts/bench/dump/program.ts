import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Why the program `name` cannot be run here; null when it can. */
export function whyNot(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return null;
    } catch {
      // not in this folder
    }
  }
  return `${name} is not installed`;
}
