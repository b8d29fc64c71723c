/**
 * Keys of encrypted dumps as people have them: 64 hexadecimal digits, or PEM as `openssl genpkey -algorithm X25519` and
 * `openssl pkey -pubout` write it.
 *
 * [RFC 8410] 3, 4, 7: X25519 keys in SubjectPublicKeyInfo and PKCS #8
 */
import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';

const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const HEX = /^[0-9a-f]{64}$/i;

/** A key pair's public half; null when the text is none. */
export function publicKeyOf(text: string): KeyObject | null {
  const line = text.trim();
  try {
    const key = HEX.test(line)
      ? createPublicKey({ key: Buffer.concat([SPKI, Buffer.from(line, 'hex')]), format: 'der', type: 'spki' })
      : createPublicKey(line);
    return key.asymmetricKeyType === 'x25519' ? key : null;
  } catch {
    return null;
  }
}

/** A key pair's private half; null when the text is none. */
export function privateKeyOf(text: string): KeyObject | null {
  const line = text.trim();
  try {
    const key = HEX.test(line)
      ? createPrivateKey({
          key: Buffer.concat([PKCS8, Buffer.from(line, 'hex')]),
          format: 'der',
          type: 'pkcs8',
        })
      : createPrivateKey(line);
    return key.asymmetricKeyType === 'x25519' ? key : null;
  } catch {
    return null;
  }
}

/** The 32 bytes of a public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
}
