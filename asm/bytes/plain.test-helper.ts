/** The module without SIMD, for tests that hold both builds to the same output. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main as compile } from 'assemblyscript/asc';
import type { DiskIo } from '../pkg/index.js';

function abort(): never {
  throw new Error('abort');
}

/** The module as the build for boards without SIMD compiles it. */
export async function plain(): Promise<DiskIo> {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  try {
    const entry = fileURLToPath(new URL('../index.ts', import.meta.url));
    const out = join(folder, 'plain.wasm');
    const flags = ['--runtime', 'stub', '--importMemory', '--noExportMemory', '--disable', 'simd', '-O3'];
    const { error } = await compile([entry, '--outFile', out, '--baseDir', '/', ...flags]);
    if (error) throw error;
    const memory = new WebAssembly.Memory({ initial: 128, maximum: 65536 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(out)), {
      env: { memory, abort },
    });
    return { ...exports, memory } as unknown as DiskIo;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
