import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the checkout that this file is in, as source or compiled. */
export const ROOT = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

const GENERATED = new Set(['node_modules', '.git', 'build', 'asm/pkg']);

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (GENERATED.has(path) || entry.name === 'node_modules') return [];
    return entry.isDirectory() ? walk(root, path) : [path];
  });
}

/** Every file that is or could be committed, with '/' from the root, sorted. */
export function repositoryFiles(root: string): string[] {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const git = existsSync(join(root, '.git'))
    ? spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], options)
    : undefined;
  const files = git?.status === 0 ? git.stdout.split('\0').filter((path) => path !== '') : walk(root, '');
  return [...new Set(files)].filter((path) => existsSync(join(root, path))).toSorted();
}
