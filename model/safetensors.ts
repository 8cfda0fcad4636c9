/** The safetensors format: a JSON header that says where each tensor's bytes lie, then the bytes. */

import { basename, join } from "node:path";
import { fewLines } from "../records/files/few_lines.ts";
import { readText, requireRegularFile, UnusualFileError } from "../records/files/read_text.ts";

/** A checkpoint that cannot be read or does not fit its config.json; carries every problem at once. */
export class CheckpointError extends Error {
  /** Always "CheckpointError". */
  override readonly name = "CheckpointError";

  /** The folder or file, and what is wrong with it, a line each. */
  constructor(readonly path: string, readonly problems: readonly string[]) {
    super([`Cannot use the weights in "${path}":`, ...fewLines(problems)].join("\n  "));
  }
}

/** Element types that can be read, with their sizes in bytes. */
export const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Sizes of the types that a header may name. */
const BYTES: Readonly<Record<string, number>> = {
  ...ELEMENT_BYTES,
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
      const said = index ? index.get(name) : file;
      if (said === file) places.set(name, place);
      else if (said !== undefined) {
        problems.push(`${file}: has "${name}", which the index puts in ${said}`);
      }
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
    text = readText(path, MAX_HEADER_BYTES);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof UnusualFileError) throw new CheckpointError(path, [`it ${error.message}`]);
    throw error;
  }
  const map: unknown = parseObject(text)?.["weight_map"];
  if (typeof map !== "object" || map === null) {
    throw new CheckpointError(path, ["it is no index: weight_map is missing"]);
  }
  const isLegal = (file: unknown) =>
    typeof file === "string" && file === basename(file) && /^[\w.-]+\.safetensors$/.test(file);
  const legal = "a *.safetensors file beside the index";
  const problems = Object.entries(map).filter(([, file]) => !isLegal(file))
    .map(([name, file]) =>
      `weight_map of "${name}": found ${JSON.stringify(file)}; legal: ${legal}`
    );
  if (problems.length > 0) throw new CheckpointError(path, problems);
  return new Map(Object.entries(map as Record<string, string>));
}

/** The places of a file's tensors; what is wrong with it is added to the problems. */
function headerPlaces(path: string, problems: string[]): ReadonlyMap<string, TensorPlace> {
  const places = new Map<string, TensorPlace>();
  const problem = (text: string) => void problems.push(`${basename(path)}: ${text}`);
  const file = readHeader(path);
  if (typeof file === "string") {
    problem(file);
    return places;
  }
  for (const [name, entry] of Object.entries(file.header)) {
    if (name === "__metadata__") continue;
    const place = tensorPlace(name, Object(entry), file);
    if (typeof place === "string") problem(place);
    else places.set(name, place);
  }
  const order = [...places].sort(([, a], [, b]) => a.offset - b.offset);
  for (let i = 1; i < order.length; i++) {
    const [[name, place], [before, last]] = [order[i]!, order[i - 1]!];
    if (last.offset + last.bytes > place.offset) problem(`"${before}" and "${name}" overlap`);
  }
  return places;
}

interface FileHeader {
  readonly path: string;
  readonly header: Readonly<Record<string, unknown>>;
  /** Where the tensors' bytes begin. */
  readonly dataStart: number;
  /** Of the whole file. */
  readonly size: number;
}

/** A file's header, or why it has none. */
function readHeader(path: string): FileHeader | string {
  let file: Deno.FsFile;
  try {
    requireRegularFile(path);
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof UnusualFileError) return `it ${error.message}`;
    return error instanceof Deno.errors.NotFound ? "it is not there" : String(error);
  }
  using open = file;
  const { size } = open.statSync();
  if (size < 8) return `truncated: ${size} bytes hold no header`;
  const start = new Uint8Array(8);
  readFully(open, start, 0);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    return `its header claims ${length} bytes; legal: up to ${MAX_HEADER_BYTES}`;
  }
  const dataStart = 8 + length;
  if (dataStart > size) {
    return `truncated: its header claims ${length} bytes, the file has ${size}`;
  }
  const text = new Uint8Array(length);
  readFully(open, text, 8);
  const header = parseObject(new TextDecoder().decode(text));
  return header ? { path, header, dataStart, size } : "its header is no JSON object";
}

/** Where a tensor of a header lies, or what is wrong with its entry. */
function tensorPlace(
  name: string,
  { dtype, shape, data_offsets: offsets }: Readonly<Record<string, unknown>>,
  { path, dataStart, size }: FileHeader,
): TensorPlace | string {
  const elementBytes = BYTES[dtype as string];
  if (elementBytes === undefined) return `"${name}" has the unknown dtype ${JSON.stringify(dtype)}`;
  if (!areCounts(shape)) return `"${name}" has the shape ${JSON.stringify(shape)}`;
  if (!areCounts(offsets) || offsets.length !== 2) {
    return `"${name}" has the offsets ${JSON.stringify(offsets)}`;
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, count) => product * count, elementBytes);
  if (end - begin !== bytes) {
    const wants = `${dtype} of shape ${shape.join(" x ")} takes ${bytes}`;
    return `"${name}" takes ${end - begin} bytes; ${wants}`;
  }
  if (dataStart + end > size) {
    return `truncated: "${name}" ends at byte ${dataStart + end} of ${size}`;
  }
  return { file: path, dtype: dtype as string, shape, offset: dataStart + begin, bytes };
}

function areCounts(values: unknown): values is readonly number[] {
  return Array.isArray(values) &&
    values.every((value) => Number.isSafeInteger(value) && value >= 0);
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
