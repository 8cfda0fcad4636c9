// Stands in for jsr:@std/cli/unstable-progress-bar where JSR cannot be reached, over cli-progress.
import cliProgress from "npm:cli-progress@3.12.0";
import process from "node:process";

/** What a formatter is given. */
export interface ProgressBarFormatter {
  /** The bar itself. */
  readonly progressBar: string;
  /** Milliseconds since the start. */
  readonly time: number;
  readonly value: number;
  readonly max: number;
}

/** How a bar looks; it is drawn on stderr. */
export interface ProgressBarOptions {
  readonly max: number;
  readonly value?: number;
  readonly barLength?: number;
  readonly fillChar?: string;
  readonly emptyChar?: string;
  readonly formatter?: (formatter: ProgressBarFormatter) => string;
}

/** A bar on stderr; assign `value`, and await `stop()` at the end. */
export class ProgressBar {
  readonly #bar: cliProgress.SingleBar;
  readonly #options: ProgressBarOptions;
  #value: number;

  /** Draws the bar. */
  constructor(options: ProgressBarOptions) {
    const { max, value = 0, barLength = 50, fillChar = "#", emptyChar = "-", formatter } = options;
    this.#options = options;
    this.#value = value;
    const start = performance.now();
    this.#bar = new cliProgress.SingleBar({
      stream: process.stderr,
      barsize: barLength,
      barCompleteChar: fillChar,
      barIncompleteChar: emptyChar,
      format: (_settings: unknown, params: { progress: number }) => {
        const done = Math.round(params.progress * barLength);
        const progressBar = fillChar.repeat(done) + emptyChar.repeat(barLength - done);
        const time = performance.now() - start;
        const now = { progressBar, time, value: this.#value, max };
        return formatter?.(now) ?? `[${progressBar}] [${now.value}/${max}]`;
      },
    });
    this.#bar.start(max, value);
  }

  /** How far it is. */
  get value(): number {
    return this.#value;
  }
  set value(value: number) {
    this.#value = value;
    this.#bar.update(value);
  }

  /** What is the end. */
  get max(): number {
    return this.#options.max;
  }

  /** Ends the bar and its line. */
  stop(): Promise<void> {
    this.#bar.stop();
    return Promise.resolve();
  }
}
