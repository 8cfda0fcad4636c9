import { format } from "@std/fmt/duration";
import type { Progress } from "../bench/run_kernels.ts";

/** Progress with the time that is left, on stderr: a line that is rewritten on a terminal, lines elsewhere. */
export function progressPrinter(): (progress: Progress) => void {
  const start = performance.now();
  const terminal = Deno.stderr.isTerminal();
  return ({ done, total, label }) => {
    const elapsedS = (performance.now() - start) / 1000;
    const leftMs = 1000 * Math.ceil(elapsedS / Math.max(1, done) * (total - done));
    const left = done === 0 ? "" : `, about ${format(leftMs, { ignoreZero: true })} left`;
    const text = done === total
      ? `[${total}/${total}] done in ${elapsedS.toFixed(1)} s`
      : `[${done + 1}/${total}] ${label}${left}`;
    const line = terminal ? `\r\x1b[K${text}${done === total ? "\n" : ""}` : `${text}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
  };
}
