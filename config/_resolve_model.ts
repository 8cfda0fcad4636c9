import { basename, dirname, isAbsolute, join } from "node:path";
import {
  MODEL_FILE_SCHEMA,
  type ModelShape,
  ModelShapeError,
  parseModelShape,
} from "../model/shape.ts";
import { shortHash } from "../records/files/short_hash.ts";
import { type ConfigProblem, describeProblem } from "./config_error.ts";
import { readText } from "../records/files/read_text.ts";
import { describeReadError } from "../records/files/describe_read_error.ts";
import { locateJsonError } from "../records/files/locate_json_error.ts";

/** A model that could be read, or what kept it from being read. */
export interface ResolvedModel {
  /** The absolute path of the config.json, where it was found. */
  readonly path?: string;
  readonly shape?: ModelShape;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the model that a configuration names, with its overrides.
 *
 * `folder` is what a relative path is relative to. A shape that an override changes is named
 * `<file>+<hash>`, so that its rows are never taken for rows of the real model.
 */
export function resolveModel(
  model: string,
  { folder, overrides }: { readonly folder: string; readonly overrides: unknown },
): ResolvedModel {
  const given = isAbsolute(model) ? model : join(folder, model);
  let path = given;
  let text: string;
  try {
    if (Deno.statSync(given).isDirectory) path = join(given, "config.json");
    text = readText(path);
  } catch (error) {
    const found = `"${model}", which ${describeReadError(error)}`;
    const why = `looked for ${path}`;
    const legal = "a config.json, or a folder with one";
    return { problems: [describeProblem({ path: "model", found }, legal, { why })] };
  }
  const misplaced = locateJsonError(text);
  if (misplaced !== undefined) {
    const { line, column, found, legal } = misplaced;
    const place = { path: "model", found: `"${found}" at ${path}:${line}:${column}` };
    return { path, problems: [describeProblem(place, legal)] };
  }
  return { path, ...readShape(JSON.parse(text), { path, overrides: legalOverrides(overrides) }) };
}

function readShape(
  file: Readonly<Record<string, unknown>>,
  { path, overrides }: {
    readonly path: string;
    readonly overrides: Readonly<Record<string, unknown>>;
  },
): Pick<ResolvedModel, "shape" | "problems"> {
  try {
    const name = modelName(path) + overrideMark(file, overrides);
    return { shape: parseModelShape({ ...file, ...overrides }, { name, path }), problems: [] };
  } catch (error) {
    if (!(error instanceof ModelShapeError)) throw error;
    const problems = error.problems.map((problem) => {
      const [key = ""] = problem.path.split(".");
      return Object.hasOwn(overrides, key)
        ? describeProblem({ ...problem, path: `model_overrides.${problem.path}` }, problem.legal)
        : describeProblem(
          { path: "model", found: `${problem.path} ${problem.found} in ${path}` },
          problem.legal,
        );
    });
    return { problems };
  }
}

/** The overrides that the schema has nothing against; the others are reported by it. */
function legalOverrides(overrides: unknown): Readonly<Record<string, unknown>> {
  const fields: Readonly<Record<string, { safeParse(value: unknown): { success: boolean } }>> =
    MODEL_FILE_SCHEMA.shape;
  const given = Object.entries(
    typeof overrides === "object" && overrides !== null ? overrides : {},
  );
  return Object.fromEntries(
    given.filter(([key, value]) =>
      Object.hasOwn(fields, key) && fields[key]!.safeParse(value).success === true
    ),
  );
}

function modelName(path: string): string {
  const file = basename(path, ".json");
  return file === "config" ? basename(dirname(path)) : file;
}

function overrideMark(
  file: Readonly<Record<string, unknown>>,
  overrides: Readonly<Record<string, unknown>>,
): string {
  const changed = Object.entries(overrides)
    .filter(([key, value]) => JSON.stringify(file[key]) !== JSON.stringify(value))
    .sort();
  return changed.length === 0 ? "" : `+${shortHash(JSON.stringify(changed)).slice(0, 6)}`;
}
