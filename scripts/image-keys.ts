// Key files, written; and the key that a developer signs with.
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeKeyPair } from '../boards/image/keys.ts';
import { EXIT_BAD_FLASH_IMAGE, EXIT_CANNOT_WRITE, InputError } from '../boards/input-error.ts';
import { ROOT } from './repository.ts';

/** Made when first asked for. It signs what a developer tries out, and no board that matters should trust it. */
const DEVELOPMENT_KEY = join(ROOT, 'build/keys/development.pem');

/** All of it or nothing. */
export function writeWhole(path: string, contents: string | Uint8Array, mode = 0o644): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const unfinished = `${path}.${process.pid}.unfinished`;
    writeFileSync(unfinished, contents, { mode });
    chmodSync(unfinished, mode);
    renameSync(unfinished, path);
  } catch (error) {
    throw new InputError(
      `${path}: cannot be written: ${(error as NodeJS.ErrnoException).code}`,
      EXIT_CANNOT_WRITE,
    );
  }
}

const publicPath = (path: string): string => `${path.replace(/\.pem$/, '')}.pub.pem`;

export function keygen(path: string, force: boolean): string[] {
  for (const each of [path, publicPath(path)]) {
    if (!force && existsSync(each)) {
      throw new InputError(
        `${each}: is there already; boards may trust it (--force replaces it)`,
        EXIT_BAD_FLASH_IMAGE,
      );
    }
  }
  const pair = makeKeyPair();
  writeWhole(path, pair.privatePem, 0o600);
  writeWhole(publicPath(path), pair.publicPem);
  return [
    `private key  ${path} (signs images; keep it)`,
    `public key   ${publicPath(path)} (boards trust it)`,
    `key hash     ${pair.hash.toString('hex')}`,
  ];
}

export function developmentKey(): string {
  if (!existsSync(DEVELOPMENT_KEY)) {
    keygen(DEVELOPMENT_KEY, true);
    console.error(`sparecore: made a development key, ${DEVELOPMENT_KEY}`);
  }
  return DEVELOPMENT_KEY;
}
