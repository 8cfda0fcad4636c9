import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { format } from "@std/fmt/duration";
import type { Progress, RunProgress } from "../mod.ts";
import type { Suite } from "../records/rows/suite.ts";

const BAR_LENGTH = 24;

/** Progress of each suite with the time that is left, on stderr: a bar on a terminal, lines elsewhere. */
export function progressPrinter(
  isTerminal = Deno.stderr.isTerminal(),
): (progress: RunProgress) => void {
  const printers = new Map<Suite, (progress: Progress) => void>();
  return (progress) => {
    const own = printers.get(progress.suite) ?? (isTerminal ? barPrinter() : linePrinter());
    printers.set(progress.suite, own);
    own(progress);
  };
}

/** The time that is left, in words; nothing before a tenth is done. */
export function timeLeft({ done, total }: Progress, elapsedMs: number): string {
  if (done < total / 10) return "";
  const seconds = Math.ceil(elapsedMs / 1000 / done * (total - done));
  return `, about ${format(seconds * 1000, { ignoreZero: true })} left`;
}

/** What is said after so many milliseconds where there is no bar. */
export function progressLine(progress: Progress, elapsedMs: number): string {
  const { done, total, label } = progress;
  const rest = done === total
    ? `, done in ${(elapsedMs / 1000).toFixed(1)} s`
    : timeLeft(progress, elapsedMs);
  return `[${done}/${total}] ${label}${rest}`;
}

function linePrinter(): (progress: Progress) => void {
  const start = performance.now();
  return (progress) => console.error(progressLine(progress, performance.now() - start));
}

function barPrinter(): (progress: Progress) => void {
  let bar: ProgressBar | undefined;
  let last: Progress;
  return (progress) => {
    last = progress;
    bar ??= new ProgressBar({
      max: progress.total,
      barLength: BAR_LENGTH,
      formatter: ({ progressBar, time }) =>
        `[${progressBar}] ${last.done}/${last.total} ${last.label}${timeLeft(last, time)}`,
    });
    bar.value = progress.done;
    if (progress.done === progress.total) void bar.stop();
  };
}
