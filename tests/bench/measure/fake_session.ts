import type { Device } from "../../../device/device.ts";
import type { Dispatch } from "../../../device/dispatch.ts";
import type { Program } from "../../../device/program.ts";
import type { Sample, Timer } from "../../../bench/measure/timer.ts";

/** A device that computes nothing and says what was asked of it, and a timer of scripted times. */
export function fakeDevice(maxStorageBufferBindingSize: number, log: string[]) {
  const memory = (what: string) => ({ destroy: () => void log.push(`free ${what}`) });
  const device = {
    maxStorageBufferBindingSize,
    allocate: ({ label, bytes }: { readonly label: string; readonly bytes: number }) => {
      log.push(`allocate ${label} ${bytes}`);
      const { destroy } = memory(label);
      return { label, bytes, destroy, [Symbol.dispose]: destroy };
    },
    bind: (program: Program, buffers: Readonly<Record<string, { readonly label: string }>>) => {
      const names = program.bindings.filter(({ access }) => access !== "uniform")
        .map(({ name }) => buffers[name]!.label);
      log.push(`bind ${names.join(" ")}`);
      return { program, params: memory("params") };
    },
  };
  return device as unknown as Device;
}

/** A timer that notes what it warms up and samples; `timesUs` says how long a sample takes. */
export function fakeTimer(
  timesUs: (program: Program, sample: number) => Sample | number,
  log: string[] = [],
): Timer {
  let samples = 0;
  const timer: Pick<Timer, "warmUp" | "sample"> = {
    warmUp: ([dispatch]: readonly Dispatch[]) => {
      log.push(`warm up ${text(dispatch!.program)}`);
      samples = 0;
      return Promise.resolve();
    },
    sample: ([dispatch]: readonly Dispatch[]) => {
      log.push(`sample ${text(dispatch!.program)}`);
      const us = timesUs(dispatch!.program, samples++);
      return Promise.resolve(
        typeof us === "number" ? { gpuUs: us, hostUs: 1e9, submitUs: 0 } : us,
      );
    },
  };
  return timer as unknown as Timer;
}

/** A program's constants, params and workgroups. */
function text({ constants, params, workgroups }: Program): string {
  return [Object.values(constants), params, workgroups].map((one) => one.join(" ")).join(" | ");
}
