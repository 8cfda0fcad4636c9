import { assert, assertAlmostEquals } from "@std/assert";
import { generator } from "../../statistics/counter_generator.ts";
import { fitLine, fitLink, type LinkPoint } from "../../statistics/link_fit.ts";

const SIZES = [4096, 16384, 65536, 262144, 1048576];

Deno.test("a line through exact times gives back its latency and bandwidth", () => {
  const points = SIZES.map((bytes) => ({ bytes, us: 3 + bytes / 5e3 }));
  const { alphaUs, gbytesPerS } = fitLine(points);
  assertAlmostEquals(alphaUs, 3, 1e-6);
  assertAlmostEquals(gbytesPerS, 5, 1e-6);
});

/** Times of 1 us a message and 5e3 bytes a us, in rounds of their own speed. */
function measured(seed: number): readonly LinkPoint[] {
  const random = generator("links", seed);
  for (let i = 0; i < 5; i++) random();
  const speeds = Array.from({ length: 8 }, () => 1 + 0.1 * (random() - 0.5));
  return SIZES.map((bytes) => ({
    bytes,
    roundsUs: speeds.map((speed) =>
      Array.from({ length: 4 }, () => (3 + bytes / 5e3) * speed * (1 + 0.02 * (random() - 0.5)))
    ),
  }));
}

Deno.test("intervals hold the truth where rounds differ, and held-out sizes are predicted", () => {
  let [alphaHits, bandwidthHits] = [0, 0];
  for (let seed = 0; seed < 100; seed++) {
    const fit = fitLink(measured(seed));
    if (fit.alphaLow <= 3 && 3 <= fit.alphaHigh) alphaHits++;
    if (fit.bandwidthLow <= 5 && 5 <= fit.bandwidthHigh) bandwidthHits++;
    assert(fit.alphaLow <= fit.alphaUs && fit.alphaUs <= fit.alphaHigh);
    assert(fit.heldOutErrorPct! < 3, `${fit.heldOutErrorPct}`);
    assert(fit.bandwidthHigh - fit.bandwidthLow < 1, JSON.stringify(fit));
  }
  assert(alphaHits >= 90 && bandwidthHits >= 90, `${alphaHits} and ${bandwidthHits} of 100`);
});

Deno.test("times that no line fits are said to be off", () => {
  const points = SIZES.map((bytes, i) => ({ bytes, roundsUs: [[i % 2 ? 100 : 1]] }));
  assert(fitLink(points).heldOutErrorPct! > 50);
});

Deno.test("held-out sizes are in no fit that predicts them", () => {
  // Two lines, one through every second size: each predicts its own, not the other.
  const points = SIZES.map((bytes, i) => ({
    bytes,
    roundsUs: [[(3 + bytes / 5e3) * (i % 2 ? 2 : 1)]],
  }));
  assertAlmostEquals(fitLink(points).heldOutErrorPct!, 50, 1e-6);
});
