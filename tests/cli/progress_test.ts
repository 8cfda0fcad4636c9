import { assertEquals } from "@std/assert";
import { progressLine, progressPrinter, timeLeft } from "../../cli/progress.ts";
import type { RunProgress } from "../../mod.ts";

const at = (done: number, total: number) => ({ done, total, label: "ffn tp=2" });

Deno.test("the time that is left is told from a tenth on, in seconds and minutes, rounded up", () => {
  assertEquals(timeLeft(at(1, 11), 5000), "");
  assertEquals(timeLeft(at(1, 10), 1000), ", about 9s left");
  assertEquals(timeLeft(at(1, 10), 1001), ", about 10s left");
  assertEquals(timeLeft(at(3, 12), 30_000), ", about 1m 30s left");
  assertEquals(timeLeft(at(11, 12), 22_000), ", about 2s left");
});

Deno.test("a line of progress has place, label and time left; the last one how long it took", () => {
  assertEquals(progressLine(at(1, 20), 1000), "[1/20] ffn tp=2");
  assertEquals(progressLine(at(10, 20), 3000), "[10/20] ffn tp=2, about 3s left");
  assertEquals(progressLine(at(20, 20), 12_340), "[20/20] ffn tp=2, done in 12.3 s");
});

/** Lines that a printer writes, `performance.now` standing still but for what `times` says. */
function printed(progress: readonly RunProgress[], times: readonly number[]): readonly string[] {
  const { error } = console;
  const lines: string[] = [];
  const left = [...times];
  const now = performance.now;
  console.error = (text: string) => void lines.push(text);
  performance.now = () => left.shift()!;
  try {
    const print = progressPrinter(false);
    progress.forEach(print);
    return lines;
  } finally {
    console.error = error;
    performance.now = now;
  }
}

Deno.test("where there is no terminal every step is a line, and each suite has a clock of its own", () => {
  const of = (suite: RunProgress["suite"], done: number) => ({ suite, ...at(done, 2) });
  const progress = [of("kernels", 1), of("kernels", 2), of("schedules", 1), of("schedules", 2)];
  assertEquals(printed(progress, [1000, 3000, 5000, 10_000, 17_000, 18_000]), [
    "[1/2] ffn tp=2, about 2s left",
    "[2/2] ffn tp=2, done in 4.0 s",
    "[1/2] ffn tp=2, about 7s left",
    "[2/2] ffn tp=2, done in 8.0 s",
  ]);
});

Deno.test("on a terminal there is a bar, and no line", () => {
  const { error } = console;
  const lines: unknown[] = [];
  console.error = (text: unknown) => void lines.push(text);
  try {
    const print = progressPrinter(true);
    for (const done of [1, 2]) print({ suite: "kernels", ...at(done, 2) });
  } finally {
    console.error = error;
  }
  assertEquals(lines, []);
});
