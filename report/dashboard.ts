/** One self-contained HTML page of one or more runs. */

import script from "./page.bundle.js.txt" with { type: "text" };
import style from "./page.bundle.css.txt" with { type: "text" };
import { writeWhole } from "../records/files/write_whole.ts";
import type { PageData } from "./page/data.ts";
import { pageData } from "./page_data.ts";

/**
 * The page as text. Its policy allows its own script and style, named by their hashes, and nothing
 * else: no network, no inline handlers.
 */
export async function dashboardHtml(data: PageData): Promise<string> {
  const policy = [
    "default-src 'none'",
    `script-src ${await sourceHash(script)}`,
    `style-src ${await sourceHash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const title = data.runs.map(({ name }) => name).join(", ").slice(0, 120);
  // Within a script element only an end tag could end it: no < is left.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return [
    "<!doctype html>",
    '<html lang="en">',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>shardbench: ${escapeHtml(title)}</title>`,
    `<style>${style}</style>`,
    "<body>",
    `<script type="application/json" id="data">${json}</script>`,
    `<script>${script}</script>`,
    "</body></html>",
    "",
  ].join("\n");
}

/** A text as markup that shows it. */
export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (char) => names[char]!);
}

async function sourceHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}

/**
 * Writes the page of some run folders to a file, in one step.
 * @throws {FileError} where a run or the file cannot be used.
 */
export async function writeDashboard(runs: readonly string[], out: string): Promise<void> {
  writeWhole(out, await dashboardHtml(pageData(runs)));
}
