import { assertEquals } from "@std/assert";
import { elementBits, generator, nameKey } from "../../statistics/counter_generator.ts";
import { shuffled } from "../../statistics/shuffled.ts";

Deno.test("a name's key is its FNV-1a hash, as its authors publish it", () => {
  // Fowler, Noll and Vo's test vectors of 32 bits.
  assertEquals(nameKey("", 0), 0x811c9dc5);
  assertEquals(nameKey("a", 0), 0xe40c292c);
  assertEquals(nameKey("foobar", 0), 0xbf9cf968);
  assertEquals(nameKey("", 1), 0x811c9dc4);
});

Deno.test("elements are MurmurHash3's finaliser of index and key", () => {
  // fmix32, worked out outside of this program; the key's factor is 2^32 over the golden ratio.
  assertEquals(elementBits(0, 0), 0);
  assertEquals(elementBits(0, 1), 0x514e28b7);
  assertEquals(elementBits(0, 0xffffffff), 0x81f16f39);
  assertEquals(elementBits(1, 0), 0x11fd02eb);
  const random = generator("", 0x811c9dc5); // key 0
  assertEquals([random(), random()], [0, 0x514e28b7 / 2 ** 32]);
});

Deno.test("shuffling keeps every item, and gives each place to each about as often", () => {
  const places = [0, 0, 0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const order = shuffled(["a", "b", "c", "d"], seed);
    assertEquals([...order].sort(), ["a", "b", "c", "d"]);
    places[order.indexOf("a")]! += 1;
  }
  // 100 of 400 expected, with a standard deviation of 8.7.
  assertEquals(places.filter((count) => count > 65 && count < 135).length, 4, `${places}`);
});
