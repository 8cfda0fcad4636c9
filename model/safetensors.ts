/** The safetensors format: a JSON header that says where each tensor's bytes lie, then the bytes. */

import { basename, join } from "node:path";
import { CheckpointError } from "./checkpoint_error.ts";

/** Element types that can be read, with their sizes in bytes. */
export const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Sizes of the types that a header may name but that are not read. */
const OTHER_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  U32: 4,
  I32: 4,
  F64: 8,
  U64: 8,
  I64: 8,
};

/** The format's own limit: a header that claims more is not parsed. */
const MAX_HEADER_BYTES = 100_000_000;

/** Where a tensor lies. */
export interface TensorPlace {
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The places of all tensors of a folder: of `model.safetensors`, or of the files that
 * `model.safetensors.index.json` names, which must lie in the folder itself.
 * @throws {CheckpointError} with every problem of every file.
 */
export function checkpointPlaces(folder: string): ReadonlyMap<string, TensorPlace> {
  const indexPath = join(folder, "model.safetensors.index.json");
  const index = readIndex(indexPath);
  const problems: string[] = [];
  const places = new Map<string, TensorPlace>();
  const files = index ? [...new Set(index.values())].sort() : ["model.safetensors"];
  for (const file of files) {
    for (const [name, place] of headerPlaces(join(folder, file), problems)) {
      if (index && index.get(name) !== file) {
        const said = index.get(name);
        if (said !== undefined) {
          problems.push(`${file}: has "${name}", which the index puts in ${said}`);
        }
      } else places.set(name, place);
    }
  }
  for (const [name, file] of index ?? []) {
    if (!places.has(name) && problems.length === 0) {
      problems.push(`${file}: lacks "${name}", which the index puts there`);
    }
  }
  if (problems.length > 0) throw new CheckpointError(folder, problems);
  return places;
}

/** Tensor names to file names, or undefined where there is no index. */
function readIndex(path: string): ReadonlyMap<string, string> | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const map: unknown = parseObject(text)?.["weight_map"];
  if (typeof map !== "object" || map === null) {
    throw new CheckpointError(path, ["it is no index: weight_map is missing"]);
  }
  const problems = Object.entries(map).flatMap(([name, file]) =>
    typeof file === "string" && file === basename(file) && /^[\w.-]+\.safetensors$/.test(file)
      ? []
      : [
        `weight_map of "${name}": found ${
          JSON.stringify(file)
        }; legal: a *.safetensors file beside the index`,
      ]
  );
  if (problems.length > 0) throw new CheckpointError(path, problems);
  return new Map(Object.entries(map as Record<string, string>));
}

function headerPlaces(path: string, problems: string[]): ReadonlyMap<string, TensorPlace> {
  const places = new Map<string, TensorPlace>();
  const problem = (text: string) => void problems.push(`${basename(path)}: ${text}`);
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    problem(error instanceof Deno.errors.NotFound ? "it is not there" : String(error));
    return places;
  }
  using open = file;
  const { size, isFile } = open.statSync();
  if (!isFile) problem("it is no file");
  else if (size < 8) problem(`truncated: ${size} bytes hold no header`);
  else {
    const start = new Uint8Array(8);
    readFully(open, start, 0);
    const length = Number(new DataView(start.buffer).getBigUint64(0, true));
    if (length > MAX_HEADER_BYTES) {
      problem(`its header claims ${length} bytes; legal: up to ${MAX_HEADER_BYTES}`);
    } else if (8 + length > size) {
      problem(`truncated: its header claims ${length} bytes, the file has ${size}`);
    } else {
      const text = new Uint8Array(length);
      readFully(open, text, 8);
      const header = parseObject(new TextDecoder().decode(text));
      if (!header) problem("its header is no JSON object");
      else readHeader(header, { path, dataStart: 8 + length, size }, { places, problem });
    }
  }
  return places;
}

function readHeader(
  header: Readonly<Record<string, unknown>>,
  file: { readonly path: string; readonly dataStart: number; readonly size: number },
  to: { readonly places: Map<string, TensorPlace>; readonly problem: (text: string) => void },
): void {
  const isCount = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets } = Object(entry);
    const elementBytes = ({ ...ELEMENT_BYTES, ...OTHER_BYTES } as Record<string, number>)[dtype];
    if (elementBytes === undefined) {
      to.problem(`"${name}" has the unknown dtype ${JSON.stringify(dtype)}`);
    } else if (!Array.isArray(shape) || !shape.every(isCount)) {
      to.problem(`"${name}" has the shape ${JSON.stringify(shape)}`);
    } else if (
      !Array.isArray(data_offsets) || data_offsets.length !== 2 || !data_offsets.every(isCount)
    ) to.problem(`"${name}" has the offsets ${JSON.stringify(data_offsets)}`);
    else {
      const [begin, end] = data_offsets as [number, number];
      const bytes = shape.reduce((product, size) => product * size, elementBytes);
      if (end - begin !== bytes) {
        to.problem(
          `"${name}" takes ${end - begin} bytes; ${dtype} of shape ${
            shape.join(" x ")
          } takes ${bytes}`,
        );
      } else if (file.dataStart + end > file.size) {
        to.problem(`truncated: "${name}" ends at byte ${file.dataStart + end} of ${file.size}`);
      } else {
        to.places.set(name, {
          file: file.path,
          dtype,
          shape,
          offset: file.dataStart + begin,
          bytes,
        });
      }
    }
  }
  const order = [...to.places].sort(([, a], [, b]) => a.offset - b.offset);
  for (let i = 1; i < order.length; i++) {
    const [[name, place], [before, last]] = [order[i]!, order[i - 1]!];
    if (last.offset + last.bytes > place.offset) to.problem(`"${before}" and "${name}" overlap`);
  }
}

/** Reads as many bytes as the array holds, from an offset. */
export function readFully(file: Deno.FsFile, into: Uint8Array, offset: number): void {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let done = 0; done < into.length;) {
    const read = file.readSync(into.subarray(done));
    if (read === null) {
      throw new RangeError(`Cannot read byte ${offset + done}: the file ends before it`);
    }
    done += read;
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}
