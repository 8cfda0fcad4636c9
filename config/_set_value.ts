import { type ConfigProblem, describeProblem, showValue } from "./config_error.ts";

type JsonObject = Record<string, unknown>;

/**
 * Sets one value of a configuration from the text of `--set`, in place.
 *
 * `path=value`: the path is dotted, a number counts in a list (its length appends); the value is
 * JSON where it parses and a plain text otherwise. Returns what is wrong with it, if anything is.
 */
export function setValue(document: JsonObject, assignment: string): ConfigProblem | undefined {
  const cut = assignment.indexOf("=");
  if (cut < 1) {
    return describeProblem({ path: "--set", found: showValue(assignment) }, "path=value");
  }
  const path = assignment.slice(0, cut);
  const keys = path.split(".");
  const last = keys.pop();
  if (last === undefined) return undefined;

  let at: unknown = document;
  for (const [depth, key] of keys.entries()) {
    const problem = refuseKey(at, { key, path });
    if (problem !== undefined) return problem;
    const container = at as JsonObject;
    if (!Object.hasOwn(container, key)) {
      const next = keys[depth + 1] ?? last;
      container[key] = isIndex(next) ? [] : {};
    }
    at = container[key];
  }
  const problem = refuseKey(at, { key: last, path });
  if (problem !== undefined) return problem;
  (at as JsonObject)[last] = parseValue(assignment.slice(cut + 1));
  return undefined;
}

function refuseKey(
  container: unknown,
  { key, path }: { readonly key: string; readonly path: string },
): ConfigProblem | undefined {
  const place = { path, found: `"${key}" under ${showValue(container)}` };
  if (Array.isArray(container)) {
    if (isIndex(key) && Number(key) <= container.length) return undefined;
    return describeProblem(place, `a place in the list, 0 to ${container.length}`);
  }
  if (typeof container !== "object" || container === null) {
    return describeProblem(place, "a path through objects and lists");
  }
  if (key === "" || key === "__proto__") {
    return describeProblem(place, "a dotted path of keys, such as kernels.tokens.0");
  }
  return undefined;
}

function isIndex(key: string): boolean {
  return /^(0|[1-9]\d*)$/.test(key);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
