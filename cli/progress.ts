import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { format } from "@std/fmt/duration";
import type { Progress, RunProgress } from "../mod.ts";
import type { Suite } from "../records/rows/suite.ts";

const BAR_LENGTH = 24;

/** Progress of each suite with the time that is left, on stderr: a bar on a terminal, lines elsewhere. */
export function progressPrinter(): (progress: RunProgress) => void {
  const printers = new Map<Suite, (progress: Progress) => void>();
  const printer = Deno.stderr.isTerminal() ? barPrinter : linePrinter;
  return (progress) => {
    const own = printers.get(progress.suite) ?? printer();
    printers.set(progress.suite, own);
    own(progress);
  };
}

function timeLeft({ done, total }: Progress, elapsedMs: number): string {
  if (done < total / 10) return "";
  const seconds = Math.ceil(elapsedMs / 1000 / done * (total - done));
  return `, about ${format(seconds * 1000, { ignoreZero: true })} left`;
}

function linePrinter(): (progress: Progress) => void {
  const start = performance.now();
  return (progress) => {
    const { done, total, label } = progress;
    const elapsedMs = performance.now() - start;
    console.error(
      done === total
        ? `[${total}/${total}] ${label}, done in ${(elapsedMs / 1000).toFixed(1)} s`
        : `[${done}/${total}] ${label}${timeLeft(progress, elapsedMs)}`,
    );
  };
}

function barPrinter(): (progress: Progress) => void {
  let bar: ProgressBar | undefined;
  let last: Progress;
  return (progress) => {
    last = progress;
    bar ??= new ProgressBar({
      max: progress.total,
      barLength: BAR_LENGTH,
      formatter: ({ progressBar, time, value, max }) =>
        `[${progressBar}] ${value}/${max} ${last.label}${timeLeft(last, time)}`,
    });
    bar.value = progress.done;
    if (progress.done === progress.total) void bar.stop();
  };
}
