import { timeChangeText } from "../../statistics/summary.ts";
import type { Cells } from "./column.ts";

/** Rows measured while the canary was further off than this, in %, say so. */
export const DRIFT_PCT = 10;
/** Rows whose interval's half width is more than this, in % of the median, say so. */
export const NOISY_PCT = 10;
/** Rows of fewer rounds than these say so: they can never show a change (see `leastReachableP`). */
export const MIN_ROUNDS = 5;
/** Rows whose rounds resemble the one before at least so much say so: their interval may be too narrow. */
export const DRIFTING_AUTOCORRELATION = 0.5;

/** What makes a row that is ok less good, in words; undefined where nothing does. */
export function rowWarning(row: Cells): string | undefined {
  if (row["status"] !== "ok") return undefined;
  const cell = (header: string) => Number(row[header] ?? NaN);
  const [drift, noise] = [cell("canary_pct"), cell("noise_pct")];
  const [rounds, autocorrelation] = [cell("rounds"), cell("autocorrelation")];
  const said = [
    Math.abs(drift) > DRIFT_PCT &&
    `the machine's speed changed: the canary took ${timeChangeText(drift, 0)}`,
    String(row["oversubscribed"]) === "true" && "more ranks than adapters or cores",
    Number.isFinite(noise) && noise > NOISY_PCT && `noise ${noise.toFixed(0)} %`,
    autocorrelation >= DRIFTING_AUTOCORRELATION &&
    `its rounds drift (autocorrelation ${
      autocorrelation.toFixed(1)
    }): the interval may be too narrow`,
    rounds < MIN_ROUNDS && (rounds === 1 ? "1 round" : `${rounds} rounds`),
  ];
  return said.filter((one) => one !== false).join("; ") || undefined;
}
