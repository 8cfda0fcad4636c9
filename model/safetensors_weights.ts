import {
  CheckpointError,
  checkpointPlaces,
  ELEMENT_BYTES,
  readFully,
  type TensorPlace,
} from "./safetensors.ts";
import { firstBeyond } from "./first_beyond.ts";
import type { ModelShape } from "./shape.ts";
import { type CheckpointTensor, checkpointTensors, type WeightRange } from "./stage_weights.ts";
import type { WeightSource } from "./weight_source.ts";

/** Tensors that some checkpoints have and nobody needs. */
const NEEDLESS = /\.rotary_emb\.inv_freq$/;

/** The weights of a folder of safetensors files, read by byte range: a rank reads only its slices. */
export class SafetensorsWeights implements WeightSource {
  readonly #places: ReadonlyMap<string, TensorPlace>;
  readonly #files = new Map<string, Deno.FsFile>();

  private constructor(places: ReadonlyMap<string, TensorPlace>) {
    this.#places = places;
  }

  /**
   * Reads the headers of a folder's files and holds names, shapes and types to a model's.
   * @throws {CheckpointError} with every problem.
   */
  static open(folder: string, model: ModelShape): SafetensorsWeights {
    const places = checkpointPlaces(folder);
    const problems = contentProblems(places, model);
    if (problems.length > 0) throw new CheckpointError(folder, problems);
    return new SafetensorsWeights(places);
  }

  /**
   * Reads a range as float32; whole rows in one read, parts of rows one by one.
   * @throws {CheckpointError} where a number of it is not finite.
   */
  read(range: WeightRange, into: Float32Array): void {
    const { tensor, rowStart, rowEnd, columnStart, columnEnd } = range;
    const width = columnEnd - columnStart;
    if (width === tensor.columns) {
      const whole = into.subarray(0, (rowEnd - rowStart) * width);
      return this.#read(tensor, rowStart * width, whole);
    }
    for (let row = rowStart, at = 0; row < rowEnd; row++, at += width) {
      const part = into.subarray(at, at + width);
      this.#read(tensor, row * tensor.columns + columnStart, part);
    }
  }

  /** The file that has a tensor. */
  pathOf({ name }: CheckpointTensor): string {
    return this.#places.get(name)!.file;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #read(tensor: CheckpointTensor, first: number, into: Float32Array): void {
    const { name, columns } = tensor;
    const { file, dtype, offset } = this.#places.get(name)!;
    const size = ELEMENT_BYTES[dtype as keyof typeof ELEMENT_BYTES];
    let open = this.#files.get(file);
    if (!open) this.#files.set(file, open = Deno.openSync(file));
    const bytes = new Uint8Array(into.length * size);
    try {
      readFully(open, bytes, offset + first * size);
    } catch (error) {
      throw new CheckpointError(file, [`"${name}": ${(error as Error).message}`]);
    }
    if (dtype === "F32") into.set(new Float32Array(bytes.buffer));
    else if (dtype === "F16") into.set(new Float16Array(bytes.buffer));
    else widen(new Uint16Array(bytes.buffer), into);
    const wrong = firstBeyond(into, Infinity);
    if (wrong >= 0) {
      const [row, column] = [Math.floor((first + wrong) / columns), (first + wrong) % columns];
      const problem = `found ${into[wrong]} in row ${row}, column ${column}; legal: finite numbers`;
      throw new CheckpointError(file, [`"${name}": ${problem}`]);
    }
  }
}

/** bfloat16 is the upper half of float32. */
function widen(halves: Uint16Array, into: Float32Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
}

function contentProblems(
  places: ReadonlyMap<string, TensorPlace>,
  model: ModelShape,
): readonly string[] {
  const problems: string[] = [];
  const wanted = new Map(checkpointTensors(model).map((tensor) => [tensor.name, tensor]));
  for (const [name, { rows, columns, role }] of wanted) {
    const place = places.get(name);
    const shape = role === "norm" || role === "bias" ? `${columns}` : `${rows} x ${columns}`;
    if (!place) {
      problems.push(`"${name}" [${shape}] is missing`);
      continue;
    }
    const found = place.shape.join(" x ");
    if (found !== shape) {
      problems.push(`"${name}": found shape ${found}; the config asks for ${shape}`);
    }
    if (!Object.hasOwn(ELEMENT_BYTES, place.dtype)) {
      const legal = Object.keys(ELEMENT_BYTES).join(", ");
      problems.push(`"${name}": found dtype ${place.dtype}; legal: ${legal}`);
    }
  }
  for (const name of places.keys()) {
    const isSpareHead = model.tiedEmbeddings && name === "lm_head.weight";
    if (!wanted.has(name) && !isSpareHead && !NEEDLESS.test(name)) {
      problems.push(
        `"${name}" is not used by ${model.architecture} of this config: what it does is not implemented`,
      );
    }
  }
  return problems;
}
