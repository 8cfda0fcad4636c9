import { type HostArray, type Tensor, tensorBytes, vec4s } from "./kernel.ts";

/** A zeroed array of `rows * columns` elements in the storage type of a tensor. */
export function hostArray({ rows, columns, dtype }: Tensor): HostArray {
  const length = rows * columns;
  if (dtype === "float16") return new Float16Array(length);
  if (dtype === "int8") return new Int8Array(length);
  if (dtype === "uint32") return new Uint32Array(length);
  return new Float32Array(length);
}

/** The bytes of a host array as the device stores them: rows padded with zeros to a whole vec4. */
export function packTensor(tensor: Tensor, array: HostArray): Uint8Array<ArrayBuffer> {
  const { rows, columns } = tensor;
  const stride = vec4s(columns) * 4;
  if (stride === columns) {
    return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
  }
  const packed = new Uint8Array(tensorBytes(tensor));
  const size = array.BYTES_PER_ELEMENT;
  const from = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let r = 0; r < rows; r++) {
    packed.set(from.subarray(r * columns * size, (r + 1) * columns * size), r * stride * size);
  }
  return packed;
}

/** The unpadded numbers of a downloaded float32 or uint32 tensor. */
export function unpackTensor(tensor: Tensor, bytes: ArrayBuffer): Float32Array | Uint32Array {
  const { rows, columns, dtype } = tensor;
  const stride = vec4s(columns) * 4;
  const all = dtype === "uint32" ? new Uint32Array(bytes) : new Float32Array(bytes);
  if (stride === columns) return all.subarray(0, rows * columns);
  const numbers = all.slice(0, rows * columns);
  for (let r = 0; r < rows; r++) {
    numbers.set(all.subarray(r * stride, r * stride + columns), r * columns);
  }
  return numbers;
}
