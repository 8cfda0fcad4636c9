import type { ModelShape } from "../../model/shape.ts";
import { checkpointTensors } from "../../model/stage_weights.ts";
import type { WeightSource } from "../../model/weight_source.ts";

/** A tensor as a file has it: its dtype, shape and bytes. */
export interface FileTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The upper half of a float32, rounded to nearest even. */
export function bfloat16(value: number): number {
  const [word] = new Uint32Array(Float32Array.of(value).buffer);
  return (word! + 0x7fff + ((word! >>> 16) & 1)) >>> 16;
}

function encode(values: Float32Array, dtype: "F32" | "F16" | "BF16"): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer);
  if (dtype === "F16") return new Uint8Array(Float16Array.from(values).buffer);
  return new Uint8Array(Uint16Array.from(values, bfloat16).buffer);
}

/** Every tensor of a model under its Hugging Face name. */
export function fileTensors(
  model: ModelShape,
  source: WeightSource,
  dtype: "F32" | "F16" | "BF16" = "F32",
): Map<string, FileTensor> {
  return new Map(
    checkpointTensors(model).map((tensor) => {
      const { name, rows, columns, role } = tensor;
      const values = new Float32Array(rows * columns);
      source.read(
        { tensor, rowStart: 0, rowEnd: rows, columnStart: 0, columnEnd: columns },
        values,
      );
      const shape = role === "norm" || role === "bias" ? [columns] : [rows, columns];
      return [name, { dtype, shape, bytes: encode(values, dtype) }];
    }),
  );
}

/** A safetensors file: header length, header, bytes. */
export function safetensorsBytes(
  tensors: ReadonlyMap<string, FileTensor>,
  edit: (header: Record<string, unknown>) => unknown = (header) => header,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end += bytes.length] };
  }
  const text = new TextEncoder().encode(JSON.stringify(edit(header)));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** Writes one model.safetensors, or several files and their index. */
export function writeCheckpoint(
  folder: string,
  tensors: ReadonlyMap<string, FileTensor>,
  files = 1,
): void {
  if (files === 1) {
    return Deno.writeFileSync(`${folder}/model.safetensors`, safetensorsBytes(tensors));
  }
  const weight_map: Record<string, string> = {};
  for (let i = 0; i < files; i++) {
    const file = `model-0000${i + 1}-of-0000${files}.safetensors`;
    const own = new Map([...tensors].filter((_, place) => place % files === i));
    for (const name of own.keys()) weight_map[name] = file;
    Deno.writeFileSync(`${folder}/${file}`, safetensorsBytes(own));
  }
  const index = JSON.stringify({ metadata: {}, weight_map });
  Deno.writeTextFileSync(`${folder}/model.safetensors.index.json`, index);
}
