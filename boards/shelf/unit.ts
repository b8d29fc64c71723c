import type { Medium } from './medium.ts';

/** A disk, as far as actions touch it. */
export interface Unit {
  readonly number: number;
  readonly config: { readonly blockBytes: number };
  readonly medium: Medium;
  /** Protection information of the blocks; null without. */
  readonly tags: Medium | null;
  readonly dead: boolean;
  readonly writesFail: boolean;
}
