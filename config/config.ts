/** Reads a configuration: file, `--set`, sizes from the command line, model, defaults, and all errors at once. */

import { basename, dirname, resolve } from "node:path";
import type { ModelShape } from "../model/shape.ts";
import {
  CONFIG_SCHEMA,
  type ConfigDocument,
  type LayoutSizes,
  layoutText,
} from "./config_schema.ts";
import { ConfigError, type ConfigProblem, describeProblem, showValue } from "./config_error.ts";
import { readText } from "../records/files/read_text.ts";
import { describeReadError } from "../records/files/describe_read_error.ts";
import { locateJsonError } from "../records/files/locate_json_error.ts";
import { type ResolvedModel, resolveModel } from "./_resolve_model.ts";
import { layoutProblems, type RawObject, rawObject, sizeProblems } from "./_size_problems.ts";
import { schemaProblems } from "./_schema_problems.ts";
import { readTrace, type TraceLine } from "./trace.ts";
import { setValue } from "./_set_value.ts";

/** A checked configuration: the file's own keys with defaults filled in, and the model as a shape. */
export interface Config extends Omit<ConfigDocument, "model"> {
  /** Of the run: the file's own, or the file's name. */
  readonly name: string;
  /** Sizes of the model, overrides applied. */
  readonly model: ModelShape;
  /** The absolute path of the model's config.json; weights lie in its folder. */
  readonly modelPath: string;
  /** The one layout of a command that runs just one: `sizes` over the first of `schedules.layouts`. */
  readonly layout: LayoutSizes;
  /** The lines of the trace that the requests come from, where they do. */
  readonly trace?: readonly TraceLine[];
  /** The file this came from, as it was named. */
  readonly path: string;
  /** Everything above as plain JSON with an absolute model path; {@linkcode resolveConfig} reads it back. */
  readonly document: ConfigDocument & { readonly name: string };
}

/** Sizes from the command line; they replace those of every layout of the configuration. */
export interface SizeOptions {
  /** Ranks that share every layer. */
  readonly tensorParallelSize?: number;
  /** Stages of layers. */
  readonly pipelineParallelSize?: number;
  /** Replicas of the model. */
  readonly dataParallelSize?: number;
}

/** What the command line changes in a configuration. */
export interface ConfigOptions {
  /** Texts `path=value`, applied in order. */
  readonly set?: readonly string[];
  /** Replace those of every layout. */
  readonly sizes?: SizeOptions;
}

/**
 * Reads, changes and checks a configuration file and the model it names.
 *
 * Needs read permission for both. ConfigError carries every problem at once.
 */
export function loadConfig(path: string, options: ConfigOptions = {}): Promise<Config> {
  return Promise.try(() => readConfig(path, options));
}

function readConfig(path: string, options: ConfigOptions): Config {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    const found = `"${path}", which ${describeReadError(error)}`;
    throw new ConfigError(path, [describeProblem({ path: "", found }, "a JSON file")]);
  }
  const misplaced = locateJsonError(text);
  if (misplaced !== undefined) {
    const { line, column, found, legal } = misplaced;
    const place = { path: "", found: `"${found}" at line ${line}, column ${column}` };
    throw new ConfigError(path, [describeProblem(place, legal)]);
  }
  return resolveConfig(JSON.parse(text), { path, ...options });
}

/**
 * Changes and checks a configuration that was parsed already, such as that of a manifest.
 *
 * `path` names it in errors; a relative model path is relative to its folder.
 */
export function resolveConfig(
  json: unknown,
  { path, set = [], sizes = {} }: ConfigOptions & { readonly path: string },
): Config {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    const place = { path: "", found: showValue(json) };
    throw new ConfigError(path, [describeProblem(place, "an object in braces")]);
  }
  const raw: Record<string, unknown> = structuredClone(json) as Record<string, unknown>;
  const setProblems = set.map((text) => setValue(raw, text)).filter((found) => found !== undefined);
  const layout = applySizes(raw, sizes);
  const parsed = CONFIG_SCHEMA.safeParse(raw);
  const model = typeof raw["model"] === "string" && raw["model"] !== ""
    ? resolveModel(raw["model"], {
      folder: dirname(resolve(path)),
      overrides: raw["model_overrides"],
    })
    : undefined;

  const problems = [
    ...setProblems,
    ...(parsed.success ? [] : schemaProblems(raw, parsed.error)),
    ...(model?.problems ?? []),
    ...(model?.shape === undefined ? [] : sizeProblems(raw, model.shape)),
    ...(model?.shape === undefined ? [] : layoutSizeProblems(layout, { raw, shape: model.shape })),
  ];
  const tracePath = parsed.data?.schedules?.requests.trace;
  const trace = tracePath !== undefined && model?.shape !== undefined
    ? readTrace(tracePath, { folder: dirname(resolve(path)), model: model.shape })
    : undefined;
  if (trace) problems.push(...trace.problems);
  if (!parsed.success || problems.length > 0) throw new ConfigError(path, distinct(problems));
  return assemble(parsed.data, { path, layout, model, trace: trace?.lines });
}

function assemble(
  parsed: ConfigDocument,
  { path, layout, model, trace }: {
    readonly path: string;
    readonly layout: RawObject;
    readonly model: ResolvedModel | undefined;
    readonly trace: readonly TraceLine[] | undefined;
  },
): Config {
  const { shape, path: modelPath } = model ?? {};
  if (shape === undefined || modelPath === undefined) {
    throw new TypeError(`Cannot use configuration "${path}": its model was not read`);
  }
  const name = parsed.name ?? basename(path, ".json").replace(/[^A-Za-z0-9._-]+/g, "_");
  return {
    ...parsed,
    name,
    model: shape,
    modelPath,
    layout: {
      tensor_parallel_size: 1,
      pipeline_parallel_size: 1,
      data_parallel_size: 1,
      order: "vllm",
      ...layout,
    },
    ...(trace ? { trace } : {}),
    path,
    document: { ...parsed, name, model: modelPath, ...absoluteTrace(parsed, path) },
  };
}

/** The schedules with the trace's absolute path, where there is one. */
function absoluteTrace(
  { schedules }: ConfigDocument,
  path: string,
): Pick<ConfigDocument, "schedules"> {
  if (schedules?.requests.trace === undefined) return {};
  const trace = resolve(dirname(resolve(path)), schedules.requests.trace);
  return { schedules: { ...schedules, requests: { ...schedules.requests, trace } } };
}

/** Puts the command line's sizes into a document; returns the layout of a command that runs one. */
function applySizes(document: Record<string, unknown>, sizes: SizeOptions): RawObject {
  const given = Object.fromEntries(
    Object.entries({
      tensor_parallel_size: sizes.tensorParallelSize,
      pipeline_parallel_size: sizes.pipelineParallelSize,
      data_parallel_size: sizes.dataParallelSize,
    }).filter(([, size]) => size !== undefined),
  );
  const schedules = rawObject(document["schedules"]);
  const layouts = Array.isArray(schedules["layouts"]) ? schedules["layouts"] : [{}];
  if (Object.keys(given).length === 0) return rawObject(layouts[0]);

  const changed = layouts.map((layout) => ({ ...rawObject(layout), ...given }));
  if (document["schedules"] !== undefined) {
    const distinctLayouts = new Map(changed.map((layout) => [layoutText(layout), layout]));
    document["schedules"] = { ...schedules, layouts: [...distinctLayouts.values()] };
  }
  if (document["kernels"] !== undefined && sizes.tensorParallelSize !== undefined) {
    document["kernels"] = {
      ...rawObject(document["kernels"]),
      tensor_parallel_sizes: [sizes.tensorParallelSize],
    };
  }
  return changed[0] ?? given;
}

/** Checks the one layout where no suite has it and `sizeProblems` has not seen it. */
function layoutSizeProblems(
  layout: RawObject,
  { raw, shape }: { readonly raw: RawObject; readonly shape: ModelShape },
): readonly ConfigProblem[] {
  const counts = ["tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"];
  if (raw["schedules"] !== undefined) return [];
  const wrong = counts.filter((key) => layout[key] !== undefined && !(Number(layout[key]) >= 1));
  return [
    ...wrong.map((key) =>
      describeProblem({ path: key, found: showValue(layout[key]) }, "a whole number, 1 or more")
    ),
    ...layoutProblems("", { layout, shape }),
  ];
}

function distinct(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}
