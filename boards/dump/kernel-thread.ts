// A thread that compresses chunks of a memory, with others like it, each time that they are told to.
import { workerData } from 'node:worker_threads';
import { CHUNK_BYTES } from '../../asm/layout.ts';
import { DONE, GO, type KernelData, NEXT, STORED } from './kernel-workers.ts';
import { Kernels } from './kernels.ts';

const { content, words } = workerData as KernelData;
const kernels = new Kernels(content);

/** Whoever is free takes the next chunk, as the CPUs of a board do. */
function share(): number {
  let stored = 0;
  for (;;) {
    const at = Atomics.add(words, NEXT, 1) * CHUNK_BYTES;
    if (at >= content.length) return stored;
    stored += kernels.lz4At(at);
  }
}

for (let go = 0; ; go++) {
  Atomics.add(words, DONE, 1);
  Atomics.notify(words, DONE);
  Atomics.wait(words, GO, go);
  Atomics.add(words, STORED, share());
}
