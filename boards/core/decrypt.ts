/**
 * Opens the chunks of an encrypted dump with the recipient's private key.
 *
 * [layout] CIPHER_X25519_STORED in asm/layout.ts
 */
import {
  type KeyObject,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { CIPHER_TAG_BYTES, CIPHER_X25519, CIPHER_X25519_STORED } from '../../asm/layout.ts';
import { publicKeyOf, rawPublicKey } from './key.ts';
import type { Header } from './records.ts';
import { Malformed } from './source.ts';

const INFO = Buffer.from('sparecore dump 1', 'latin1');
const ID_BYTES = 16;

/** The private key is not the one that the dump was encrypted to. */
export class WrongKey extends Error {
  override readonly name = 'WrongKey';
}

/** What a table says of an encrypted chunk, and the cipher vouches for. */
interface Sealed {
  chunk: number;
  poison: number;
  codec: number;
}

/** A key of low order has no secret with anybody; no board makes one. */
function sharedSecret(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch {
    throw new Malformed('dump image', 0, 'a public key of low order');
  }
}

export class Opener {
  readonly #key: Buffer;
  readonly #header: Header;

  /** WrongKey when the header names another recipient, Malformed when it is of no encrypted dump. */
  constructor(privateKey: KeyObject, header: Header) {
    if (header.cipher !== CIPHER_X25519 && header.cipher !== CIPHER_X25519_STORED)
      throw new Malformed('dump image', 0, `cipher ${header.cipher}`);
    const own = rawPublicKey(createPublicKey(privateKey));
    const id = createHash('sha256').update(own).digest().subarray(0, ID_BYTES);
    if (id.toString('hex') !== header.recipient)
      throw new WrongKey(`encrypted to the key ${header.recipient}, and this is ${id.toString('hex')}`);
    const theirs = publicKeyOf(header.boardKey);
    if (theirs === null) throw new Malformed('dump image', 0, 'a public key that is none');
    const shared = sharedSecret(privateKey, theirs);
    const salt = Buffer.concat([Buffer.from(header.boardKey, 'hex'), own]);
    this.#key = Buffer.from(hkdfSync('sha256', shared, salt, INFO, 32));
    this.#header = header;
  }

  /** The checksums are of what is stored, and not of the chunks. */
  get isStoredSum(): boolean {
    return this.#header.cipher === CIPHER_X25519_STORED;
  }

  /** What was stored of a chunk before it was encrypted, or null when it is not as it was. `codec` has CODEC_SEALED. */
  open({ chunk, poison, codec }: Sealed, stored: Uint8Array): Buffer | null {
    const { system, epoch, cipherAttempt } = this.#header;
    if (stored.length <= CIPHER_TAG_BYTES) return null;
    const nonce = words(chunk, epoch, cipherAttempt);
    const decipher = createDecipheriv('chacha20-poly1305', this.#key, nonce, {
      authTagLength: CIPHER_TAG_BYTES,
    });
    const text = stored.subarray(0, stored.length - CIPHER_TAG_BYTES);
    decipher.setAAD(
      words(((poison << 16) | chunk) >>> 0, ((codec << 24) | stored.length) >>> 0, system, epoch),
      {
        plaintextLength: text.length,
      },
    );
    decipher.setAuthTag(stored.subarray(text.length));
    try {
      return Buffer.concat([decipher.update(text), decipher.final()]);
    } catch {
      return null;
    }
  }
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4));
  return bytes;
}
