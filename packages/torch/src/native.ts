import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The addon's functions (`native/addon.cc`). Tensors are handles: numbers that name a slot of this thread's table. */
interface Native {
  findOperator(name: string, overload: string): number;
  call(operator: number, ...args: unknown[]): unknown;
  callInPlace(operator: number, ...args: unknown[]): void;
  schemas(): string[];
  fromBytes(bytes: Uint8Array, dtype: number, shape: readonly number[]): number;
  toBytes(handle: number): ArrayBuffer;
  readTensor(file: number, position: number, dtype: number, shape: readonly number[]): number;
  writeTensor(file: number, handle: number): number;
  item(handle: number): number;
  shape(handle: number): number[];
  strides(handle: number): number[];
  dtype(handle: number): number;
  device(handle: number): string;
  isContiguous(handle: number, memoryFormat: number): boolean;
  storage(handle: number): [identity: number, bytes: number];
  hollow(handle: number): void;
  free(handle: number): void;
  keep(handle: number): void;
  isLive(handle: number): boolean;
  liveTensors(): number;
  enterScope(): void;
  leaveScope(kept: readonly number[]): void;
  backward(
    outputs: readonly number[],
    gradients: readonly (number | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
  ): void;
  grad(
    outputs: readonly number[],
    inputs: readonly number[],
    gradients: readonly (number | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (number | null)[];
  setGradEnabled(enabled: boolean): boolean;
  setAutocast(dtype: number, device: string): number;
  hasBfloat16(): boolean;
  requiresGrad(handles: readonly number[]): boolean;
  setRequiresGrad(handles: readonly number[], required: boolean): void;
  isLeaf(handles: readonly number[]): boolean;
  gradients(handles: readonly number[]): (number | null)[];
  setGradients(handles: readonly number[], gradients: readonly (number | null)[] | null): void;
  manualSeed(seed: number): void;
  generatorState(device: string): ArrayBuffer;
  setGeneratorState(state: Uint8Array, device: string): void;
  deviceMemory(device: string): [used: number, peak: number, reserved: number, free: number, total: number];
  /** What the allocator of a device does with each change; for tests, where there is no such device. */
  reportDeviceMemory(device: string, allocated: number, reserved: number): void;
  openStore(file: string | null, host: string, port: number, serves: boolean, milliseconds: number): number;
  storeSet(key: string, text: string): void;
  storeHas(keys: readonly string[]): boolean;
  joinGroup(
    rank: number,
    size: number,
    address: string,
    milliseconds: number,
    device: string,
  ): 'gloo' | 'nccl';
  leaveGroup(): void;
  allReduce(handles: readonly number[]): void;
  broadcast(handles: readonly number[], root: number): void;
  barrier(): void;
  synchroniseNorms(on: boolean): boolean;
  threads(): number;
  setThreads(count: number): void;
  /** Kernels divide their work among threads from this many multiply-adds on, in the whole process; returns the number before. */
  setLeastWork(multiplyAdds: number): number;
  version(): string;
  configuration(): string;
  startProfile(): void;
  stopProfile(): [
    name: string,
    sequence: number,
    nanoseconds: number,
    inputs: number[][],
    results: number[][],
  ][];
  instructionSet(): string;
}

function load(): Native {
  // Between operators, the threads of GCC's OpenMP spin for milliseconds. If anything else needs the processor, a step then takes
  // ten times as long and more. Threads that sleep after some microseconds cost a few per cent on an idle machine. OpenMP reads the
  // variable when libtorch is loaded.
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '1000';
  const path = fileURLToPath(new URL('../build/Release/espalier_torch.node', import.meta.url));
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    throw new Error(
      `The libtorch addon could not be loaded: ${(cause as Error).message}. Build it with 'npm run setup'.`,
      { cause },
    );
  }
}

export const native = load();
