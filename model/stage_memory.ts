import { bufferBytes, DTYPES, type Tensor, tensorBytes } from "../kernels/kernel.ts";
import { type Stage, type StageProgram, stageProgram, type TensorRole } from "./stage_program.ts";

/** Bytes of device memory that a stage takes, to the byte. */
export interface StageMemory {
  /** Of matrices, norms, biases and scales. */
  readonly weightBytes: number;
  /** Of keys and values of all layers and sequences. */
  readonly kvCacheBytes: number;
  /** Inputs, hidden states, logits, angles. */
  readonly workBytes: number;
  /** Of all of it. */
  readonly totalBytes: number;
  /** The largest single buffer. */
  readonly largest: { readonly name: string; readonly bytes: number };
}

/** Most rows that a batch of a stage samples. */
export function maxLogitsRows(
  { maxNumSeqs, maxNumBatchedTokens }: Pick<Stage, "maxNumSeqs" | "maxNumBatchedTokens">,
): number {
  return Math.min(maxNumSeqs, maxNumBatchedTokens);
}

/** A tensor of a stage and what it is for. */
export interface StageTensor extends Tensor {
  readonly role: TensorRole;
}

/** Every buffer of a stage: the tensors of its program for the largest batches, with all and with some rows sampled. */
export function stageBuffers(stage: Stage): ReadonlyMap<string, StageTensor> {
  const samples = maxLogitsRows(stage);
  const tensors = [samples, Math.max(1, samples - 1)].flatMap((logitsRows) => [
    ...stageTensors(stageProgram(stage, { tokens: stage.maxNumBatchedTokens, logitsRows })),
  ]);
  return new Map(tensors.sort(([, a], [, b]) => bufferBytes(a) - bufferBytes(b)));
}

/** Every tensor of a program by its joint name, in the largest size that an operation wants. */
function stageTensors(program: StageProgram): ReadonlyMap<string, StageTensor> {
  const tensors = new Map<string, StageTensor>();
  for (const op of program.ops) {
    if (op.kind !== "kernel") continue;
    for (const [name, joint] of Object.entries(op.operation.names)) {
      const tensor = op.operation.tensors[name]!;
      const known = tensors.get(joint);
      if (!known || tensorBytes(tensor) > tensorBytes(known)) {
        tensors.set(joint, { ...tensor, role: op.roles[name]! });
      }
    }
  }
  return tensors;
}

/** Sums the buffers of a stage. */
export function stageMemory(stage: Stage): StageMemory {
  const sum = { weightBytes: 0, kvCacheBytes: 0, workBytes: 0 };
  let largest = { name: "", bytes: 0 };
  for (const [name, tensor] of stageBuffers(stage)) {
    const bytes = bufferBytes(tensor);
    if (tensor.role === "weights") sum.weightBytes += bytes;
    else if (tensor.role === "kv_cache") sum.kvCacheBytes += bytes;
    else sum.workBytes += bytes;
    if (bytes > largest.bytes) largest = { name, bytes };
  }
  const totalBytes = sum.weightBytes + sum.kvCacheBytes + sum.workBytes;
  return { ...sum, totalBytes, largest };
}

/**
 * Why a stage does not fit a device, with the numbers and what would fit; undefined where it does.
 * `memoryBytes` is what may be taken in all: a device that does not tell has no such limit.
 */
export function memoryProblem(stage: Stage, memoryBytes: number): string | undefined {
  const memory = stageMemory(stage);
  const { largest, totalBytes } = memory;
  const isTooWide = largest.bytes > stage.maxStorageBufferBindingSize;
  if (!isTooWide && totalBytes <= memoryBytes) return undefined;
  const cause = isTooWide
    ? `its buffer "${largest.name}" takes ${largest.bytes} bytes; the adapter binds at most ${stage.maxStorageBufferBindingSize}`
    : `it takes ${totalBytes} bytes (weights ${memory.weightBytes}, KV cache ${memory.kvCacheBytes}, ` +
      `work ${memory.workBytes}); ${memoryBytes} are available`;
  return `${cause}. ${whatFits(stage, memoryBytes)}`;
}

function fits(stage: Stage, memoryBytes: number): boolean {
  const { largest, totalBytes } = stageMemory(stage);
  return largest.bytes <= stage.maxStorageBufferBindingSize && totalBytes <= memoryBytes;
}

/** The longest context that fits, else with which storage type, else how many layers would. */
function whatFits(stage: Stage, memoryBytes: number): string {
  for (const dtype of DTYPES.slice(DTYPES.indexOf(stage.dtype))) {
    const context = largestThat(
      stage.maxModelLen,
      (maxModelLen) => fits({ ...stage, dtype, maxModelLen }, memoryBytes),
    );
    if (context === 0) continue;
    const how = dtype === stage.dtype ? "" : `dtype ${dtype} and `;
    const many = stage.maxNumSeqs > 1 ? `, of ${stage.maxNumSeqs} sequences at once` : "";
    return `With ${how}a context of ${context}${many} it would fit (asked for: ${stage.maxModelLen}).`;
  }
  const layers = stage.endLayer - stage.firstLayer;
  const most = largestThat(
    layers - 1,
    (count) => fits({ ...stage, endLayer: stage.firstLayer + count }, memoryBytes),
  );
  return most > 0
    ? `${most} of its ${layers} layers would fit: cut it over more ranks.`
    : "Not even one layer of it would fit.";
}

/** The largest number from 1 to `most` that holds, or 0; what holds for one holds for all below. */
function largestThat(most: number, holds: (value: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
