// A thread that compresses its share of a memory each time it is told to.
import { workerData } from 'node:worker_threads';
import { CHUNK_BYTES } from '../../asm/layout.ts';
import { DONE, GO, type KernelData, SIZES } from './kernel-workers.ts';
import { Kernels } from './kernels.ts';

const { content, number, workers, words } = workerData as KernelData;

const shares: Uint8Array[] = [];
for (let at = number * CHUNK_BYTES; at < content.length; at += workers * CHUNK_BYTES)
  shares.push(content.subarray(at, at + CHUNK_BYTES));
const kernels = new Kernels(Buffer.concat(shares));
for (let go = 0; ; go++) {
  Atomics.add(words, DONE, 1);
  Atomics.notify(words, DONE);
  Atomics.wait(words, GO, go);
  words[SIZES + number] = kernels.lz4();
}
