import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { AdapterIdentity } from "../../device/adapter.ts";
import { readText } from "../../records/files/read_text.ts";
import { writeWhole } from "../../records/files/write_whole.ts";
import { driverHash } from "./driver_hash.ts";

/** What was tried for one class of shapes: microseconds by variant, the fastest of its runs. */
interface TuningEntry {
  readonly best: string;
  readonly timesUs: Readonly<Record<string, number>>;
}

/** What was tried of a class of shapes, with the hash of each variant's shader at that time. */
interface VariantEntry extends TuningEntry {
  readonly shaders: Readonly<Record<string, string>>;
}

/** What was measured of a collective at one message size: microseconds by algorithm. */
interface CollectiveEntry extends TuningEntry {
  readonly messageBytes: number;
}

/** The file of an adapter and its driver ({@linkcode driverHash}): variants by class of shapes, algorithms by collective and message size. */
interface TuningFile {
  readonly adapter: string;
  readonly driver: string;
  readonly entries: Record<string, VariantEntry>;
  readonly collectives: Record<string, readonly CollectiveEntry[]>;
}

/** Where results are kept unless told: beside the program, wherever it is called from; in memory of one that is not on disk. */
export const TUNING_FOLDER: string | undefined = import.meta.url.startsWith("file:")
  ? fileURLToPath(new URL("../../tuning", import.meta.url))
  : undefined;

/** What was fastest on one adapter, kept in a file between runs. */
export class TuningStore {
  readonly #path: string | undefined;
  readonly #file: TuningFile;
  #changed = false;
  #isUnwritable = false;

  private constructor(path: string | undefined, file: TuningFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Reads the file of an adapter in a folder, if there is one; no folder keeps results in memory. */
  static open(identity: AdapterIdentity, folder?: string): TuningStore {
    const { name } = identity;
    const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_").replaceAll(/^_|_$/g, "");
    const path = folder === undefined ? undefined : `${folder}/${slug}.json`;
    return new TuningStore(path, readTuning(path, { adapter: name, driver: driverHash(identity) }));
  }

  /**
   * The variant that was fastest for a class of shapes; undefined where none was tried, or not all of these
   * shaders, by variant.
   */
  bestVariant(
    shapeClass: string,
    shaders: Readonly<Record<string, string>> = {},
  ): string | undefined {
    const { best, shaders: tried = {} } = this.#file.entries[shapeClass] ?? {};
    return Object.entries(shaders).every(([name, hash]) => tried[name] === hash) ? best : undefined;
  }

  /** Keeps what was tried of a class of shapes, in us and hashes by variant; returns the fastest. */
  noteVariants(
    shapeClass: string,
    { timesUs, shaders }: Pick<VariantEntry, "timesUs" | "shaders">,
  ): string {
    const best = fastest(timesUs);
    this.#file.entries[shapeClass] = { best, timesUs, shaders };
    this.#changed = true;
    return best;
  }

  /** The algorithm that was fastest at the nearest measured size, by ratio; undefined where none was. */
  bestAlgorithm(key: string, messageBytes: number): string | undefined {
    const off = (entry: CollectiveEntry) => Math.abs(Math.log(entry.messageBytes / messageBytes));
    return [...this.#file.collectives[key] ?? []].sort((a, b) => off(a) - off(b))[0]?.best;
  }

  /** Keeps times of a collective, in us by algorithm; `key` names operation, transport, memory and ranks. */
  noteAlgorithms(
    key: string,
    { messageBytes, timesUs }: Omit<CollectiveEntry, "best">,
  ): void {
    const others = (this.#file.collectives[key] ?? [])
      .filter((entry) => entry.messageBytes !== messageBytes);
    this.#file.collectives[key] = [...others, { messageBytes, best: fastest(timesUs), timesUs }]
      .sort((a, b) => a.messageBytes - b.messageBytes);
    this.#changed = true;
  }

  /** Writes the file, if anything was noted; where that cannot be, it says so once, and the run goes on. */
  async save(): Promise<void> {
    if (!this.#changed || this.#path === undefined || this.#isUnwritable) return;
    this.#changed = false;
    try {
      await Deno.mkdir(dirname(this.#path), { recursive: true });
      writeWhole(this.#path, JSON.stringify(this.#file, null, 2) + "\n");
    } catch (error) {
      this.#isUnwritable = true;
      const why = error instanceof Error ? error.message : String(error);
      console.error(`warning: what was tuned is not kept: ${why}`);
    }
  }
}

function fastest(timesUs: TuningEntry["timesUs"]): string {
  return Object.keys(timesUs).reduce((a, b) => timesUs[b]! < timesUs[a]! ? b : a);
}

function readTuning(
  path: string | undefined,
  about: Pick<TuningFile, "adapter" | "driver">,
): TuningFile {
  const empty: TuningFile = { ...about, entries: {}, collectives: {} };
  if (path === undefined) return empty;
  try {
    const file: unknown = JSON.parse(readText(path));
    const { adapter, driver, entries, collectives } = Object(file);
    const isOwn = adapter === about.adapter && driver === about.driver;
    return isOwn ? { ...about, entries: { ...entries }, collectives: { ...collectives } } : empty;
  } catch (error) {
    // What cannot be read is begun anew; only a permission that is missing is the caller's to give.
    if (error instanceof Deno.errors.NotCapable) throw error;
    return empty;
  }
}
