/** What a board says when it refuses, in words. */
import * as L from '../../../firmware/bootloader/layout.ts';
import { EXIT_BAD_BOARD, EXIT_BAD_FLASH_IMAGE, InputError } from '../../input-error.ts';
import type { Reply } from './packet.ts';

/** [SMP] mcumgr mgmt_err */
const RESULTS: Readonly<Record<number, string>> = {
  1: 'an error that it does not name; its flash may be failing',
  2: 'out of memory',
  3: 'a request that it finds invalid',
  4: 'a time-out of its own',
  5: 'no such image on it',
  6: 'not possible in its present state',
  7: 'a message that is too long for it',
  8: 'a command that it does not know',
  9: 'its data is corrupt',
  10: 'busy',
  11: 'access denied',
};

const IMAGES: Readonly<Record<number, string>> = {
  [L.IMAGE_NONE]: 'no MCUboot image',
  [L.IMAGE_MALFORMED]: 'the image is malformed',
  [L.IMAGE_DIGEST]: 'what it received is not what was sent',
  [L.IMAGE_KEY]: 'the image is signed by another key than the board trusts',
  [L.IMAGE_SIGNATURE]: 'the signature is not valid',
  [L.IMAGE_BOARD]: 'the image is for another kind of board',
  [L.IMAGE_DOWNGRADE]: 'its security counter is lower than that of what the board ran before',
  [L.IMAGE_UNPROVISIONED]: 'the board trusts no key yet; its factory data is missing',
};

export class Refused extends InputError {
  /** IMAGE_* where it is about the image. */
  readonly image: number | null;
  readonly rc: number;

  constructor(what: string, rc: number) {
    const image = rc > L.SMP_IMAGE && IMAGES[rc - L.SMP_IMAGE] !== undefined ? rc - L.SMP_IMAGE : null;
    super(
      `the board refused ${what}: ${image === null ? (RESULTS[rc] ?? `result ${rc}`) : IMAGES[image]}`,
      image === null ? EXIT_BAD_BOARD : EXIT_BAD_FLASH_IMAGE,
    );
    this.image = image;
    this.rc = rc;
  }
}

/** The result code of a reply: `rc`, or that of the newer protocol's `err`; 0 without one. */
export function resultOf({ body }: Reply): number {
  const { rc, err } = body;
  if (typeof rc === 'number') return rc;
  if (typeof err === 'object' && err !== null && !Array.isArray(err) && !(err instanceof Uint8Array)) {
    return typeof err['rc'] === 'number' && err['rc'] !== 0 ? err['rc'] : 1;
  }
  return 0;
}

export function checked(reply: Reply, what: string): Reply {
  const rc = resultOf(reply);
  if (rc !== 0) throw new Refused(what, rc);
  return reply;
}
