import type { DeviceBuffer } from "./buffer.ts";
import type { Program } from "./program.ts";

/** A program bound to its buffers: ready to be recorded any number of times. */
export interface Dispatch {
  /** What is run. */
  readonly program: Program;
  /** Its compiled shader. */
  readonly pipeline: GPUComputePipeline;
  /** Its buffers. */
  readonly bindGroup: GPUBindGroup;
  /** The uniform behind `params`, owned by this dispatch; absent where it is shared or the shader has none. */
  readonly params: DeviceBuffer | undefined;
}

/** A compute pass; a timed one has timestamps. */
export interface Pass {
  /** What the pass runs, in order. */
  readonly dispatches: readonly Dispatch[];
  /** Where its begin and end times go. */
  readonly timestampWrites?: GPUComputePassTimestampWrites | undefined;
}

/** Records a pass with all its dispatches. */
export function recordPass(encoder: GPUCommandEncoder, pass: Pass): void {
  const { timestampWrites } = pass;
  const recording = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
  for (const { program, pipeline, bindGroup } of pass.dispatches) {
    if (program.workgroups.some((count) => count === 0)) continue;
    recording.setPipeline(pipeline);
    recording.setBindGroup(0, bindGroup);
    recording.dispatchWorkgroups(...program.workgroups);
  }
  recording.end();
}
