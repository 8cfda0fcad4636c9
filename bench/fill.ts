import { type Fill, type HostArray, type Tensor, tensorBytes, vec4s } from "../kernels/kernel.ts";

/** A 32-bit hash of a name (FNV-1a), the key of a tensor's numbers. */
export function nameKey(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The bits of element `index` under a key: a counter-based generator (the murmur3 finaliser). */
export function elementBits(key: number, index: number): number {
  let bits = (index + Math.imul(key, 0x9e3779b1)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function emptyArray({ rows, columns, dtype }: Tensor): HostArray {
  const length = rows * columns;
  if (dtype === "float16") return new Float16Array(length);
  if (dtype === "int8") return new Int8Array(length);
  if (dtype === "uint32") return new Uint32Array(length);
  return new Float32Array(length);
}

/** The host numbers of a tensor: the same for the same name and seed, whatever else runs. */
export function fillTensor(tensor: Tensor, name: string, seed: number): HostArray {
  const array = emptyArray(tensor);
  const key = nameKey(name, seed);
  const fill: Fill = tensor.fill;
  switch (fill.kind) {
    case "zero":
      break;
    case "words":
      array.set(fill.words);
      break;
    case "floats":
      array.set(fill.floats());
      break;
    case "integers":
      for (let i = 0; i < array.length; i++) array[i] = elementBits(key, i) % fill.below;
      break;
    case "codes":
      for (let i = 0; i < array.length; i++) array[i] = elementBits(key, i) % 255 - 127;
      break;
    case "scales":
      for (let i = 0; i < array.length; i++) {
        array[i] = fill.scale * (0.5 + elementBits(key, i) / 2 ** 32);
      }
      break;
    case "uniform": {
      const factor = fill.scale / 2 ** 31;
      for (let i = 0; i < array.length; i++) array[i] = (elementBits(key, i) - 2 ** 31) * factor;
    }
  }
  return array;
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
