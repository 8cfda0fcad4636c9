import { assertEquals, assertThrows } from "@std/assert";
import {
  ffnShard,
  headShard,
  illegalTensorParallelSize,
  legalTensorParallelSizes,
  vocabShard,
} from "../../parallel/shard.ts";

const MISTRAL = { vocab: 32000, heads: 32, kvHeads: 8, ffn: 14336 };

Deno.test("a vocabulary of 50257 over 2 ranks is padded to 50304 with all padding on rank 1", () => {
  const shards = [0, 1].map((rank) =>
    vocabShard({ vocab: 50257, tensorParallelSize: 2, tensorParallelRank: rank })
  );
  assertEquals(shards, [
    { start: 0, end: 25152, padded: 50304, padding: 0 },
    { start: 25152, end: 50257, padded: 50304, padding: 47 },
  ]);
});

Deno.test("a vocabulary of 32000 over 2 ranks is halved without padding", () => {
  const shards = [0, 1].map((rank) =>
    vocabShard({ vocab: 32000, tensorParallelSize: 2, tensorParallelRank: rank })
  );
  assertEquals(shards.map(({ start, end, padding }) => [start, end, padding]), [
    [0, 16000, 0],
    [16000, 32000, 0],
  ]);
});

Deno.test("a vocabulary shard may be wholly padding", () => {
  const shard = vocabShard({ vocab: 10, tensorParallelSize: 4, tensorParallelRank: 3 });
  assertEquals(shard, { start: 10, end: 10, padded: 64, padding: 16 });
});

Deno.test("vocabulary shards cover every row exactly once for any legal size", () => {
  for (const vocab of [1, 63, 64, 65, 1000, 32000, 50257, 151936]) {
    for (const tensorParallelSize of [1, 2, 4, 8, 16, 32, 64]) {
      let next = 0;
      let padding = 0;
      for (let rank = 0; rank < tensorParallelSize; rank++) {
        const shard = vocabShard({ vocab, tensorParallelSize, tensorParallelRank: rank });
        assertEquals(shard.start, next);
        assertEquals((shard.end - shard.start + shard.padding) * tensorParallelSize, shard.padded);
        next = shard.end;
        padding += shard.padding;
      }
      assertEquals(next, vocab);
      assertEquals(vocab + padding, Math.ceil(vocab / 64) * 64);
    }
  }
});

Deno.test("32 query heads and 8 kv heads over 16 ranks replicate each kv head twice", () => {
  const shards = Array.from(
    { length: 16 },
    (_, rank) =>
      headShard({ heads: 32, kvHeads: 8, tensorParallelSize: 16, tensorParallelRank: rank }),
  );
  assertEquals(shards.map((shard) => shard.kvStart), [
    0,
    0,
    1,
    1,
    2,
    2,
    3,
    3,
    4,
    4,
    5,
    5,
    6,
    6,
    7,
    7,
  ]);
  for (const shard of shards) {
    assertEquals(shard.queryEnd - shard.queryStart, 2);
    assertEquals(shard.kvEnd - shard.kvStart, 1);
    assertEquals(shard.kvHeadReplicas, 2);
  }
});

Deno.test("8 kv heads over 2 ranks are halved without replicas", () => {
  assertEquals(headShard({ heads: 32, kvHeads: 8, tensorParallelSize: 2, tensorParallelRank: 1 }), {
    queryStart: 16,
    queryEnd: 32,
    kvStart: 4,
    kvEnd: 8,
    kvHeadReplicas: 1,
  });
});

Deno.test("query heads stay with the kv head of their group", () => {
  for (
    const [heads, kvHeads, tensorParallelSize] of [[32, 8, 4], [32, 8, 16], [8, 2, 8]] as const
  ) {
    for (let rank = 0; rank < tensorParallelSize; rank++) {
      const shard = headShard({ heads, kvHeads, tensorParallelSize, tensorParallelRank: rank });
      for (let head = shard.queryStart; head < shard.queryEnd; head++) {
        const kvHead = Math.floor(head / (heads / kvHeads));
        assertEquals(kvHead >= shard.kvStart && kvHead < shard.kvEnd, true);
      }
    }
  }
});

Deno.test("28 query heads and 4 kv heads refuse 8 ranks", () => {
  assertThrows(
    () => headShard({ heads: 28, kvHeads: 4, tensorParallelSize: 8, tensorParallelRank: 0 }),
    RangeError,
    "28 query heads must be divisible",
  );
});

Deno.test("the FFN is cut evenly or refused", () => {
  assertEquals(ffnShard({ ffn: 14336, tensorParallelSize: 4, tensorParallelRank: 3 }), {
    start: 10752,
    end: 14336,
  });
  assertThrows(
    () => ffnShard({ ffn: 10, tensorParallelSize: 4, tensorParallelRank: 0 }),
    RangeError,
    "10",
  );
});

Deno.test("a rank outside its group is refused", () => {
  for (const tensorParallelRank of [2, -1, 0.5, NaN]) {
    assertThrows(
      () => vocabShard({ vocab: 64, tensorParallelSize: 2, tensorParallelRank }),
      RangeError,
      `"${tensorParallelRank}": legal are 0 to 1`,
    );
  }
});

Deno.test("a tensor parallel size of 3 names each broken rule and the nearest legal sizes", () => {
  const broken = illegalTensorParallelSize(MISTRAL, 3);
  assertEquals(broken.map((rule) => rule.nearest), broken.map(() => [2, 4]));
  assertEquals(broken.map((rule) => rule.rule), [
    "the padded vocabulary 32000 must be divisible by the tensor parallel size",
    "the 32 query heads must be divisible by the tensor parallel size",
    "the 8 kv heads must be divisible by a tensor parallel size below 8",
    "the FFN width 14336 must be divisible by the tensor parallel size",
  ]);
});

Deno.test("legal tensor parallel sizes break no rule", () => {
  assertEquals(legalTensorParallelSizes(MISTRAL), [1, 2, 4, 8, 16, 32]);
  assertEquals(illegalTensorParallelSize(MISTRAL, 16), []);
  assertEquals(illegalTensorParallelSize(MISTRAL, 64)[0]?.nearest, [32]);
  assertEquals(illegalTensorParallelSize(MISTRAL, 0)[0]?.nearest, [1]);
});

Deno.test("a model of 24 heads and 6 kv heads allows 3 ranks where its vocabulary does", () => {
  const shape = { vocab: 64 * 3, heads: 24, kvHeads: 6, ffn: 96 };
  assertEquals(legalTensorParallelSizes(shape), [1, 2, 3, 6, 12, 24]);
});
