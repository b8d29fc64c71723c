// The thread that is the second CPU of an emulated board: the same firmware on the same RAM, and no devices.
import { workerData } from 'node:worker_threads';
import { READY, type SecondData, type SecondExports } from './second-cpu.ts';

const { module, memory, state } = workerData as SecondData;

function refused(): never {
  throw new Error('the second CPU has no devices');
}

const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
for (const { module: device, name } of WebAssembly.Module.imports(module)) {
  imports[device] ??= {};
  imports[device][name] = device === 'env' ? memory : refused;
}
const firmware = new WebAssembly.Instance(module, imports).exports as unknown as SecondExports;
firmware.start();
firmware.second_begin();
Atomics.store(state, 0, READY);
Atomics.notify(state, 0);
try {
  firmware.second(); // sleeps until there is work, and ends with the thread
} catch {
  // It has faulted, and is silent from here on: the first CPU goes on without it.
}
