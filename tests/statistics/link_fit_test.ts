import { assert, assertAlmostEquals } from "@std/assert";
import { fitLine, fitLink } from "../../statistics/link_fit.ts";

const SIZES = [4096, 16384, 65536, 262144, 1048576];

Deno.test("a line through exact times gives back its latency and bandwidth", () => {
  const points = SIZES.map((bytes) => ({ bytes, us: 3 + bytes / 5e3 }));
  const { alphaUs, gbytesPerS } = fitLine(points);
  assertAlmostEquals(alphaUs, 3, 1e-6);
  assertAlmostEquals(gbytesPerS, 5, 1e-6);
});

Deno.test("intervals hold the truth, and sizes held out are predicted as well as the noise allows", () => {
  const noise = (i: number) => 1 + 0.02 * Math.sin(i * 12.9898);
  const points = SIZES.map((bytes, size) => ({
    bytes,
    timesUs: Array.from({ length: 30 }, (_, i) => (3 + bytes / 5e3) * noise(size * 100 + i)),
  }));
  const fit = fitLink(points);
  assert(fit.alphaLow <= 3.06 && fit.alphaHigh >= 2.94, JSON.stringify(fit));
  assert(fit.bandwidthLow <= 5.1 && fit.bandwidthHigh >= 4.9, JSON.stringify(fit));
  assert(fit.alphaLow <= fit.alphaUs && fit.alphaUs <= fit.alphaHigh);
  assert(fit.heldOutErrorPct! < 3, `${fit.heldOutErrorPct}`);
});

Deno.test("times that no line fits are said to be off", () => {
  const points = SIZES.map((bytes, i) => ({ bytes, timesUs: [i % 2 ? 100 : 1] }));
  assert(fitLink(points).heldOutErrorPct! > 50);
});
