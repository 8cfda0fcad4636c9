import { activation } from "./activation.ts";
import { add } from "./add.ts";
import { argmax } from "./argmax.ts";
import { attention } from "./attention.ts";
import { embedding } from "./embedding.ts";
import { kvAppend } from "./kv_append.ts";
import { gemm, gemv } from "./matmul.ts";
import { rmsNorm } from "./rms_norm.ts";
import { rope } from "./rope.ts";
import { softmax } from "./softmax.ts";

/** Every kernel by its name: what the tests of all variants walk, and modules and primitives are made of. */
export const KERNELS = {
  embedding,
  rms_norm: rmsNorm,
  gemm,
  gemv,
  rope,
  kv_append: kvAppend,
  attention,
  activation,
  softmax,
  add,
  argmax,
} as const;
