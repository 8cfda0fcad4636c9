import { Command, ValidationError } from "@cliffy/command";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadRun, measureRun, resolveConfig } from "../mod.ts";
import { absolutePath, isBelow, places } from "../records/run_folder/portable_paths.ts";
import { readManifest } from "../records/run_folder/manifest.ts";
import { type Replayed, replayed } from "../report/replay_runs.ts";
import { EXIT } from "./exit_status.ts";
import { filterOf, suitesOf } from "./filter.ts";
import { interruptible } from "./interrupt.ts";
import { progressPrinter } from "./progress.ts";

const OPTIONS = z.object({
  out: z.string().optional(),
  tolerance: z.number().default(20),
  allowPaths: z.boolean().default(false),
});
const SELECTION = z.object({ suites: z.array(z.string()), filter: z.string().nullable() });

/** `replay`: runs a manifest again and says row by row whether it was reproduced. */
export function replayCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Run a finished run's manifest again; say row by row whether it was reproduced.")
    .arguments("<run:file>")
    .option("--out <dir:file>", "A new or empty folder for the new run.")
    .option(
      "--tolerance <pct:number>",
      "How far times may be apart, in %, beyond their intervals; 20.",
    )
    .option(
      "--allow-paths",
      "Read what the manifest names outside of the run and of this project's models.",
    )
    .action(async (options, path) => exit(await replay(String(path), OPTIONS.parse(options))));
}

async function replay(path: string, options: z.output<typeof OPTIONS>): Promise<number> {
  const { out, tolerance } = options;
  if (!(tolerance >= 0)) {
    throw new ValidationError(`Cannot use --tolerance "${tolerance}": legal are 0 and more`);
  }
  const before = loadRun(path);
  const manifest = readManifest(path);
  const json = ownPaths(manifest.configuration, path, options.allowPaths);
  const config = resolveConfig(json, { path: `${path}/manifest.json` });
  const selected = SELECTION.safeParse(manifest["selection"]).data;
  const selection = {
    suites: suitesOf(selected?.suites.join(",")),
    filter: filterOf(selected?.filter ?? undefined),
  };
  return await interruptible(async (signal) => {
    const onProgress = progressPrinter();
    const { folder } = await measureRun({ config, selection, folder: out, onProgress, signal });
    if (signal.aborted) return EXIT.interrupted;
    const { text, status } = conclusion(replayed(before, loadRun(folder), tolerance), folder);
    console.log(text);
    return status;
  });
}

/** What was found, a line each, and the exit status: a replay without rows reproduces nothing. */
export function conclusion({ rows, machine, shaders }: Replayed, folder: string) {
  const reproduced = rows.filter(({ verdict }) => verdict === "reproduced").length;
  const text = [
    ...machine,
    ...shaders,
    ...rows.map(({ verdict, label, reason }) => `${verdict}: ${label}: ${reason}`),
    `${reproduced} of ${rows.length} rows reproduced; the new run is in ${folder}`,
  ].join("\n");
  const isWhole = reproduced === rows.length && rows.length > 0;
  return { text, status: isWhole ? EXIT.ok : EXIT.incomplete };
}

const PATHS = z.looseObject({
  model: z.string().optional(),
  schedules: z.looseObject({
    requests: z.looseObject({ trace: z.string().optional() }).optional(),
  }).optional(),
});

/**
 * A manifest's configuration with absolute paths. Whoever wrote it says which files are read: those in the run
 * and this project's models, links followed, unless `allowPaths`.
 * @throws {ValidationError} that names the others.
 */
function ownPaths(
  configuration: Readonly<Record<string, unknown>>,
  run: string,
  allowPaths: boolean,
): unknown {
  const parsed = PATHS.safeParse(configuration).data;
  if (!parsed) return configuration; // resolveConfig says what is wrong with it
  const models = fileURLToPath(new URL("../models", import.meta.url));
  const roots = [run, models].map(realPath);
  const outside: string[] = [];
  const whole = (key: string, path: string) => {
    const absolute = absolutePath(path, { ...places(), folder: run });
    const real = realPath(absolute);
    if (!roots.some((root) => isBelow(real, root))) outside.push(`${key} "${path}"`);
    return absolute;
  };
  const { model, schedules } = parsed;
  const trace = schedules?.requests?.trace;
  const requests = trace === undefined
    ? schedules?.requests
    : { ...schedules!.requests, trace: whole("schedules.requests.trace", trace) };
  const json = {
    ...parsed,
    ...(model !== undefined && { model: whole("model", model) }),
    ...(schedules && { schedules: { ...schedules, ...(requests && { requests }) } }),
  };
  if (outside.length === 0 || allowPaths) return json;
  throw new ValidationError(
    `Cannot replay "${run}": its manifest names files outside of it, ${outside.join(" and ")}; ` +
      "--allow-paths reads them",
  );
}

/** A path with links followed, or as it is where nothing is there. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return path;
    }
    throw error;
  }
}
