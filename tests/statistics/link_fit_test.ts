import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
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

Deno.test("neither latency nor bandwidth is ever negative", () => {
  // Times that fall with the size, and times below a line through the origin.
  const falling = fitLine([{ bytes: 1000, us: 20 }, { bytes: 2000, us: 10 }]);
  assertAlmostEquals(falling.gbytesPerS, 1e6, 1e-3); // 1e-9 us a byte
  assert(falling.alphaUs > 0);
  const steep = fitLine([{ bytes: 1000, us: 1 }, { bytes: 2000, us: 10 }]);
  assertEquals(steep.alphaUs, 0);
});

Deno.test("small and large messages count alike: the errors are relative", () => {
  // By hand: weights 1 / t^2 of (1, 1), (2, 2), (3, 6) are 1, 1/4, 1/36; w = 46/36, wx = 57/36,
  // wxx = 81/36, wy = 60/36, wxy = 90/36. Slope (46 * 90 - 57 * 60) / (46 * 81 - 57^2) = 720 / 477.
  const { alphaUs, gbytesPerS } = fitLine([
    { bytes: 1, us: 1 },
    { bytes: 2, us: 2 },
    { bytes: 3, us: 6 },
  ]);
  assertAlmostEquals(1 / gbytesPerS / 1000, 720 / 477, 1e-9);
  assertEquals(alphaUs, 0); // (60 - 720 / 477 * 57) / 46 is below 0
});

Deno.test("four sizes are held out from each other, three are too few; rounds are as many as all have", () => {
  const points = [1000, 2000, 4000, 8000].map((bytes, i) => ({
    bytes,
    roundsUs: Array.from({ length: 3 + i }, () => [3 + bytes / 5e3]),
  }));
  assertEquals(fitLink(points.slice(1)).heldOutErrorPct, undefined);
  assertAlmostEquals(fitLink(points).heldOutErrorPct!, 0, 1e-6);
  assertAlmostEquals(fitLink([...points].reverse()).alphaLow, 3, 1e-6);
});
