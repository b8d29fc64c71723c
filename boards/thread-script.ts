/** Where the script of a worker thread lies. */
import { fileURLToPath } from 'node:url';

const isSource = import.meta.url.endsWith('.ts');
const boards = new URL(isSource ? '../build/js/boards/' : './', import.meta.url);

/**
 * Of a module of the boards, such as "attached/line-thread". The sources, too, run the compiled one: a loader for
 * TypeScript does not reach into workers.
 */
export const threadScript = (name: string): string => fileURLToPath(new URL(`${name}.js`, boards));
