import { Device } from "../device/device.ts";
import type { Dispatch } from "../device/dispatch.ts";
import { type Operation, operation, type OperationVariant } from "../kernels/operation.ts";
import { KERNELS } from "../kernels/registry.ts";
import { Timer } from "./measure/timer.ts";
import { Workload } from "./measure/workload.ts";

const SHAPES: Readonly<Record<string, Operation>> = {
  "gemm 512 x 512 x 512": operation(KERNELS.gemm, {
    tokens: 512,
    k: 512,
    columns: 512,
    dtype: "float32",
  }),
  "gemv 1024 x 4096": operation(KERNELS.gemv, {
    tokens: 1,
    k: 1024,
    columns: 4096,
    dtype: "float32",
  }),
  "gemv 1024 x 4096 int8": operation(KERNELS.gemv, {
    tokens: 1,
    k: 1024,
    columns: 4096,
    dtype: "int8",
  }),
  "attention decode 32/8 heads, 256 positions": operation(KERNELS.attention, {
    tokens: 1,
    heads: 32,
    kvHeads: 8,
    headSize: 128,
    maxNumSeqs: 1,
    context: 256,
    qColumns: 4096,
  }),
  "rms_norm 64 x 4096": operation(KERNELS.rms_norm, {
    tokens: 64,
    hidden: 4096,
    epsilon: 1e-5,
    residual: true,
  }),
  "softmax 64 x 4096": operation(KERNELS.softmax, { rows: 64, columns: 4096 }),
};

let opened: Promise<{ device: Device; timer: Timer }> | undefined;

function open() {
  return opened ??= Device.open().then(async (device) => ({
    device,
    timer: await new Timer(device).ready(),
  }));
}

/** Dispatches of each checked variant: checked and warmed up once, at the first iteration. */
const checked = new Map<string, readonly Dispatch[]>();

async function check(name: string, shape: Operation, variant: OperationVariant) {
  const { device, timer } = await open();
  const known = checked.get(name);
  if (known) return known;
  const workload = new Workload(device, [shape], { seed: 0 });
  const dispatches = workload.bind(() => variant);
  workload.poison();
  device.run(dispatches);
  const { wrongElements } = await workload.check();
  if (wrongElements > 0) throw new Error(`${name}: ${wrongElements} wrong elements`);
  await timer.warmUp(dispatches);
  checked.set(name, dispatches);
  return dispatches;
}

for (const [group, shape] of Object.entries(SHAPES)) {
  for (const variant of shape.variants.filter((v) => v.unsupported === undefined)) {
    const name = `${group}: ${variant.name}`;
    Deno.bench({
      name,
      group,
      baseline: variant.name === "naive",
      n: 20,
      warmup: 2,
      async fn(b) {
        const dispatches = await check(name, shape, variant);
        const { device, timer } = await open();
        await device.finish();
        b.start();
        await timer.sampleIdle(dispatches);
        b.end();
      },
    });
  }
}

for (const how of ["awaited", "eager"] as const) {
  Deno.bench({
    name: `read-back of 16 bytes: ${how}`,
    group: "read-back of 16 bytes",
    baseline: how === "awaited",
    n: 50,
    async fn(b) {
      const { device } = await open();
      using buffer = device.allocate({ label: "bench", bytes: 16 });
      await device.readBack.read(buffer.gpu, { bytes: 16 });
      b.start();
      if (how === "awaited") await device.readBack.readAwaited(buffer.gpu, { bytes: 16 });
      else await device.readBack.read(buffer.gpu, { bytes: 16 });
      b.end();
    },
  });
}
