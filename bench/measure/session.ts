import type { Device } from "../../device/device.ts";
import { Canary } from "./canary.ts";
import { type Ceilings, higherCeilings, measureCeilings } from "./ceilings.ts";
import { TimeAccount, type TimeShares } from "./time_account.ts";
import { Timer } from "./timer.ts";
import { shortHash } from "../../records/files/short_hash.ts";
import { Tuner } from "./tuner.ts";
import { TuningStore } from "./tuning_store.ts";

/** What a run says of its session in the manifest. */
export interface SessionReport {
  readonly ceilings: Ceilings;
  /** Time of the canary, the median of its readings: the machine's own speed. */
  readonly canary_us: number;
  /** What it is the median of: a pair of multiply-adds and copying a reading. */
  readonly canary_readings_us: readonly (readonly number[])[];
  /** Hash of each shader's text that was used, by kernel/variant. */
  readonly shaders: Readonly<Record<string, string>>;
  readonly time_ms: TimeShares;
}

/** What the suites of one run share: a device with its timer, tuning, measured ceilings and canary. */
export interface Session extends Disposable {
  readonly device: Device;
  readonly timer: Timer;
  readonly tuning: TuningStore;
  readonly tuner: Tuner;
  readonly ceilings: Ceilings;
  /** Measures the ceilings again and keeps the higher ones: one that was measured on a busy machine is too low. */
  raiseCeilings(): Promise<Ceilings>;
  readonly canary: Canary;
  readonly time: TimeAccount;
  /** What the session has found and spent so far. */
  report(): SessionReport;
}

/** Measures the ceilings, keeps tuning results in a folder, if there is one; disposing leaves the device open. */
export async function openSession(
  device: Device,
  tuningFolder: string | undefined,
): Promise<Session> {
  const time = new TimeAccount(device);
  const timer = await new Timer(device).ready();
  const tuning = TuningStore.open(device.identity, tuningFolder);
  let ceilings = await measureCeilings(device, timer);
  const canary = new Canary(device, timer);
  await canary.start();
  return {
    device,
    timer,
    tuning,
    tuner: new Tuner(device, timer, tuning),
    get ceilings() {
      return ceilings;
    },
    raiseCeilings: async () =>
      ceilings = higherCeilings(ceilings, await measureCeilings(device, timer)),
    canary,
    time,
    report: () => {
      const shaders = device.pipelines.shaders().map(([name, wgsl]) => [name, shortHash(wgsl)]);
      return {
        ceilings,
        canary_us: canary.medianUs,
        canary_readings_us: canary.readingsUs,
        shaders: Object.fromEntries(shaders),
        time_ms: time.shares,
      };
    },
    [Symbol.dispose]: () => {
      canary[Symbol.dispose]();
      timer[Symbol.dispose]();
    },
  };
}
