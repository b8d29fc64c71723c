// Node's side of the disk I/O module: finds the .wasm beside this file and instantiates it on a memory.
import { readFileSync } from 'node:fs';

/** Where the module lies: for a worker, or for a host that compiles it itself. */
export const wasmUrl = new URL('./disk-io.wasm', import.meta.url);

let compiled;

/** The module, compiled once a process. */
export function compile() {
  return (compiled ??= new WebAssembly.Module(readFileSync(wasmUrl)));
}

function utf16(memory, pointer) {
  if (pointer === 0) return '';
  const view = new DataView(memory.buffer);
  const length = view.getUint32(pointer - 4, true);
  let text = '';
  for (let at = 0; at < length; at += 2) text += String.fromCharCode(view.getUint16(pointer + at, true));
  return text;
}

function imports(memory) {
  return {
    env: {
      memory,
      abort(message, file, line, column) {
        throw new Error(`${utf16(memory, message)} at ${utf16(memory, file)}:${line}:${column}`);
      },
    },
  };
}

function finish(instance, memory) {
  instance.exports.start(); // the module runs nothing by itself: a new instance is a reset of the same memory
  return Object.freeze({ ...instance.exports, memory });
}

function defaultMemory() {
  return new WebAssembly.Memory({ initial: 16, maximum: 65536 });
}

export async function instantiate({ memory = defaultMemory() } = {}) {
  return finish(await WebAssembly.instantiate(compile(), imports(memory)), memory);
}

export function instantiateSync({ memory = defaultMemory() } = {}) {
  return finish(new WebAssembly.Instance(compile(), imports(memory)), memory);
}
