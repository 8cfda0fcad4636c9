/** Paths as a manifest names them: without the names of who measured and where, as far as that can be. */

import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";

/** Folders that a path can be named by. */
export interface Places {
  /** The working folder. */
  readonly here: string;
  /** The user's home; undefined where Deno has no permission to ask for it. */
  readonly home: string | undefined;
}

/** Where this process is and whose it is. Uses `--allow-sys=homedir`, where granted, without asking. */
export function places(): Places {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "homedir" });
  return { here: Deno.cwd(), home: state === "granted" ? homedir() : undefined };
}

/**
 * An absolute path as a file of a folder names it: relative where both lie below the working folder, with a
 * `~` where it lies below the user's home, else as it is.
 */
export function portablePath(
  path: string,
  { folder, here, home }: Places & { readonly folder: string },
): string {
  const from = resolve(here, folder);
  if (isBelow(from, here) && isBelow(path, here)) return relative(from, path);
  return home !== undefined && isBelow(path, home) ? `~/${relative(home, path)}` : path;
}

/** What {@linkcode portablePath} named, as an absolute path again. */
export function absolutePath(
  path: string,
  { folder, here, home }: Places & { readonly folder: string },
): string {
  return path.startsWith("~/") && home !== undefined
    ? join(home, path.slice(2))
    : resolve(here, folder, path);
}

/** A text such as an argument, with `.` and `~` for the working folder and the home in paths of it. */
export function portableText(text: string, { here, home }: Places): string {
  const named = [[here, "."], [home, "~"]] as const;
  return named.reduce((changed, [folder, name]) => {
    if (folder === undefined || folder === "/") return changed;
    const path = RegExp.escape(folder);
    return changed.replaceAll(new RegExp(`(?<=^|[=,:"'])${path}(?=$|[/,:"'])`, "g"), name);
  }, text);
}

/** Whether a path lies in a folder, or is it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
