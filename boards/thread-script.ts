/** Where the script of a worker thread lies. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT_BAD_FIRMWARE, InputError } from './input-error.ts';

const isSource = import.meta.url.endsWith('.ts');
const boards = new URL(isSource ? '../build/js/boards/' : './', import.meta.url);

/**
 * Of a module of the boards, such as "attached/line-thread". The sources, too, run the compiled one: a loader for
 * TypeScript does not reach into workers. Refused if it is not there: a worker without a script is waited for.
 */
export function threadScript(name: string): string {
  const path = fileURLToPath(new URL(`${name}.js`, boards));
  if (!existsSync(path))
    throw new InputError(`${path}: is not there; npm run build makes it`, EXIT_BAD_FIRMWARE);
  return path;
}
