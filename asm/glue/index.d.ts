export interface InstantiateOptions {
  /** The memory to work in; it must have a maximum of at most 65536 pages. By default a new one of 16 pages. */
  memory?: WebAssembly.Memory;
}

/** An instance: the functions the module exports, and the memory they work in. */
export type DiskIo = Readonly<Record<string, (...args: number[]) => number>> & {
  readonly memory: WebAssembly.Memory;
};

/** Where the module lies: for a worker, or for a host that compiles it itself. */
export const wasmUrl: URL;

/** The module, compiled once a process. */
export function compile(): WebAssembly.Module;

export function instantiate(options?: InstantiateOptions): Promise<DiskIo>;
export function instantiateSync(options?: InstantiateOptions): DiskIo;
