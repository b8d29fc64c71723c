/**
 * Keys that sign images, in PEM as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
 *
 * [RFC 8410] 3, 4, 7: Ed25519 keys in SubjectPublicKeyInfo and PKCS #8
 */
import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
} from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { EXIT_BAD_FLASH_IMAGE, InputError } from '../input-error.ts';

const FILE_MAX = 4096;
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

const no = (path: string, what: string): never => {
  throw new InputError(`${path}: ${what}`, EXIT_BAD_FLASH_IMAGE);
};

function textOf(path: string): { text: string; mode: number } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return no(path, 'no such key file; sparecore image keygen makes one');
  if (!stat.isFile() || stat.size > FILE_MAX) return no(path, 'is not a key file');
  try {
    return { text: readFileSync(path, 'utf8'), mode: stat.mode };
  } catch {
    return no(path, 'cannot be read');
  }
}

/** The key that signs. A file that others can read holds no secret. */
export function readPrivateKey(path: string): KeyObject {
  const { text, mode } = textOf(path);
  if (/PUBLIC KEY/.test(text)) return no(path, 'holds a public key; the private one signs');
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    return no(path, 'can be read by others; chmod 600 it');
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return no(path, 'is not a private key in PEM (PKCS #8), without a passphrase');
  }
  return key.asymmetricKeyType === 'ed25519'
    ? key
    : no(path, `is a key of ${key.asymmetricKeyType}, not of Ed25519`);
}

/** The key that a board trusts: a public one, or the public half of a private one. */
export function readPublicKey(path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(textOf(path).text);
  } catch (error) {
    if (error instanceof InputError) throw error;
    return no(path, 'is not a public key in PEM (SubjectPublicKeyInfo)');
  }
  return key.asymmetricKeyType === 'ed25519'
    ? key
    : no(path, `is a key of ${key.asymmetricKeyType}, not of Ed25519`);
}

/** The 32 bytes of a public key. */
export const rawKey = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key)
    .export({ format: 'der', type: 'spki' })
    .subarray(SPKI_HEAD.length);

/** What an image names its key by: the SHA-256 of its SubjectPublicKeyInfo. */
export const keyHash = (key: KeyObject): Buffer =>
  createHash('sha256').update(SPKI_HEAD).update(rawKey(key)).digest();

export interface KeyPair {
  privatePem: string;
  publicPem: string;
  hash: Buffer;
}

export function makeKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    hash: keyHash(publicKey),
  };
}
