import type { Device } from "../../device/device.ts";
import type { Operation, OperationVariant } from "../../kernels/operation.ts";
import type { Timer } from "./timer.ts";
import { Workload } from "./workload.ts";

/** What was tried for one class of shapes: microseconds by variant, the fastest of three runs. */
export interface TuningEntry {
  readonly best: string;
  readonly timesUs: Readonly<Record<string, number>>;
}

/** What was measured of a collective at one message size: microseconds by algorithm. */
export interface CollectiveEntry extends TuningEntry {
  readonly messageBytes: number;
}

/** Tuning results of one adapter: variants by shape class, algorithms by collective and message size. */
export interface TuningFile {
  readonly adapter: string;
  readonly entries: Record<string, TuningEntry>;
  readonly collectives: Record<string, readonly CollectiveEntry[]>;
}

const ROUNDS = 3;
/** Where the best candidate takes longer than this, the naive one is not tried and one round will do. */
const LONG_US = 100_000;
/** A candidate whose first run is this many times the best so far is not repeated. */
const HOPELESS = 8;

/** Chooses variants by measuring them once for each adapter and class of shapes. */
export class Tuner {
  readonly #device: Device;
  readonly #timer: Timer;
  readonly #path: string | undefined;
  readonly #file: TuningFile;
  #changed = false;

  private constructor(device: Device, timer: Timer, path: string | undefined, file: TuningFile) {
    this.#device = device;
    this.#timer = timer;
    this.#path = path;
    this.#file = file;
  }

  /** Opens the tuning file of the device's adapter in a folder; no folder keeps results in memory. */
  static async open(device: Device, timer: Timer, folder?: string): Promise<Tuner> {
    const adapter = device.identity.name;
    const slug = adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_").replaceAll(/^_|_$/g, "");
    const path = folder === undefined ? undefined : `${folder}/${slug}.json`;
    return new Tuner(device, timer, path, await readTuning(path, adapter));
  }

  /** The tuned variant of an operation, measured now if its class of shapes is new. */
  async best(operation: Operation): Promise<OperationVariant> {
    const candidates = operation.variants.filter((variant) => variant.unsupported === undefined);
    const known = this.#file.entries[operation.shapeClass];
    const chosen = candidates.find((variant) => variant.name === known?.best);
    if (chosen) return chosen;
    const only = candidates[0];
    if (!only) throw new Error(`Cannot run "${operation.kernel}": no variant supports its shape`);
    if (candidates.length === 1) return only;
    const timesUs = await this.#tryAll(operation, candidates);
    const best = Object.keys(timesUs).reduce((a, b) => timesUs[b]! < timesUs[a]! ? b : a);
    this.#file.entries[operation.shapeClass] = { best, timesUs };
    this.#changed = true;
    return candidates.find((variant) => variant.name === best)!;
  }

  /** Keeps what was measured of a collective; `key` names operation, transport, memory and ranks. */
  noteCollective(key: string, entry: CollectiveEntry): void {
    const others = (this.#file.collectives[key] ?? [])
      .filter(({ messageBytes }) => messageBytes !== entry.messageBytes);
    this.#file.collectives[key] = [...others, entry].sort((a, b) =>
      a.messageBytes - b.messageBytes
    );
    this.#changed = true;
  }

  /** The algorithm that was fastest at the nearest measured size, by ratio; undefined where none was. */
  bestAlgorithm(key: string, messageBytes: number): string | undefined {
    const off = (entry: CollectiveEntry) => Math.abs(Math.log(entry.messageBytes / messageBytes));
    return [...this.#file.collectives[key] ?? []].sort((a, b) => off(a) - off(b))[0]?.best;
  }

  /** Writes the tuning file, if anything was measured. */
  async save(): Promise<void> {
    if (!this.#changed || this.#path === undefined) return;
    await Deno.mkdir(this.#path.replace(/\/[^/]*$/, ""), { recursive: true });
    const part = `${this.#path}.${crypto.randomUUID()}.part`;
    await Deno.writeTextFile(part, JSON.stringify(this.#file, null, 2) + "\n");
    await Deno.rename(part, this.#path);
    this.#changed = false;
  }

  async #tryAll(
    operation: Operation,
    candidates: readonly OperationVariant[],
  ): Promise<Record<string, number>> {
    using workload = new Workload(this.#device, [operation], { seed: 0 });
    const times: Record<string, number> = {};
    // The naive variant comes last, so that it is known to be hopeless after its first run.
    const order = [...candidates.slice(1), candidates[0]!];
    const fastest = () => Math.min(...Object.values(times));
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0 && fastest() > LONG_US) break;
      for (const variant of order) {
        const best = fastest();
        if (variant === candidates[0] && best > LONG_US && best < Infinity) continue;
        const sofar = times[variant.name];
        if (sofar !== undefined && sofar > HOPELESS * best) continue;
        await this.#device.pipelines.compile(variant.program());
        const dispatches = workload.bind(() => variant);
        // The first dispatch compiles in many drivers and is never the time of the kernel.
        if (sofar === undefined) await this.#timer.sample(dispatches);
        const { gpuUs, hostUs } = await this.#timer.sample(dispatches);
        times[variant.name] = Math.min(sofar ?? Infinity, gpuUs ?? hostUs);
      }
    }
    return times;
  }
}

async function readTuning(path: string | undefined, adapter: string): Promise<TuningFile> {
  const empty: TuningFile = { adapter, entries: {}, collectives: {} };
  if (path === undefined) return empty;
  try {
    const file: unknown = JSON.parse(await Deno.readTextFile(path));
    const { adapter: named, entries, collectives } = Object(file);
    return named === adapter && typeof Object(entries) === "object"
      ? { adapter, entries: { ...entries }, collectives: { ...collectives } }
      : empty;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return empty;
    throw error;
  }
}
