import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import type { HostArray, Tensor } from "../kernels/kernel.ts";
import { packTensor } from "../kernels/pack.ts";
import { stageBuffers } from "../model/stage_memory.ts";
import type { Stage } from "../model/stage_program.ts";
import { stageWeights } from "../model/stage_weights.ts";
import { hostWeight, type WeightSource } from "../model/weight_source.ts";

/** Uploads up to this size are not waited for. */
const FREE_UPLOAD_BYTES = 2 ** 20;

/** Fills the buffers of a stage's weights and constants, one tensor at a time. */
export async function loadStage(
  device: Device,
  { stage, weights, buffers, onLoaded }: {
    readonly stage: Stage;
    readonly weights: WeightSource;
    readonly buffers: ReadonlyMap<string, DeviceBuffer>;
    /** Told after each tensor. */
    readonly onLoaded?: (() => void) | undefined;
  },
): Promise<void> {
  const upload = async (name: string, tensor: Tensor, values: HostArray) => {
    const bytes = packTensor(tensor, values);
    device.upload(buffers.get(name)!, bytes);
    // A queue keeps its own copy of what is uploaded until it is flushed.
    if (bytes.length > FREE_UPLOAD_BYTES) await device.finish();
    onLoaded?.();
  };
  for (const weight of stageWeights(stage)) {
    const { values, scales } = hostWeight(weight, weights);
    await upload(weight.name, weight.tensor, values);
    if (scales) await upload(`${weight.name}.scale`, weight.scale!, scales);
  }
  for (const [name, tensor] of stageBuffers(stage)) {
    if (tensor.role === "constant" && tensor.fill.kind === "floats") {
      await upload(name, tensor, tensor.fill.floats());
    }
  }
  await device.finish();
}
