// What every command of `sparecore core` begins with: the memory that the user named, and the firmware it ran.
import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { Argument, Option } from 'commander';
import { privateKeyOf } from '../../../boards/core/key.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import type { panicOf } from '../../../boards/core/epitaph.ts';
import { openFile, toldOf } from '../../../boards/core/open-source.ts';
import type { MemorySource } from '../../../boards/core/memory-source.ts';
import { Symbols } from '../../../boards/core/symbols.ts';
import { firmwarePath } from '../../../boards/machine.ts';
import { openLive } from './live.ts';

export const sourceArgument = (name = 'source'): Argument =>
  new Argument(
    `<${name}>`,
    'core file, image of a coredump disk, image of a root disk or exFAT volume (newest core), IMAGE:/cores/NAME, live:a or live:b',
  );

export const firmwareOption = (): Option =>
  new Option(
    '--firmware <file>',
    'the firmware image that the board ran, for its symbols (default: the one that the build made)',
  );

export const keyOption = (): Option =>
  new Option('--key <file>', 'private key of an encrypted dump: X25519, PEM or 64 hexadecimal digits');

/** What --key named; encrypted memory is missing without it. */
let privateKey: KeyObject | null = null;

export function useKey(path: string | undefined): void {
  if (path === undefined) return;
  const text = keyText(path);
  privateKey = privateKeyOf(text);
  if (privateKey === null)
    throw new InputError(`${path}: is no X25519 private key (PEM, or 64 hexadecimal digits)`, EXIT_BAD_CORE);
}

function keyText(path: string): string {
  if (!existsSync(path) || !statSync(path).isFile())
    throw new InputError(`${path}: no such file; --key takes a private key`, EXIT_BAD_CORE);
  try {
    return readFileSync(path, 'utf8').slice(0, 8192);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${path}: cannot be read (${code})`, EXIT_BAD_CORE);
  }
}

export const givenKey = (): KeyObject | null => privateKey;

/** Lends `use` the memory; what is malformed in it is told in one line. */
export async function withSource<T>(spec: string, use: (source: MemorySource) => Promise<T>): Promise<T> {
  const source = await openSource(spec);
  try {
    return await use(source);
  } catch (error) {
    throw toldOf(source.name, error);
  } finally {
    source.close();
  }
}

export async function openSource(spec: string): Promise<MemorySource> {
  return (await openLive(spec)) ?? openFile(spec, privateKey);
}

/** Of the image that the user named; else of that one of the build's which the board ran, for one CPU or for two. */
export function symbolsOf(
  path: string | undefined,
  panic: Awaited<ReturnType<typeof panicOf>>,
): Symbols | null {
  if (path !== undefined) return Symbols.load(path);
  const usual = Symbols.find(firmwarePath());
  if (panic === null || panic === 'none' || usual?.build === panic.build) return usual;
  const other = Symbols.find(firmwarePath(2));
  return other?.build === panic.build ? other : usual;
}
