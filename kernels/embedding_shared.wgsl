// out[t, h] = table[ids[t] - VOCAB_START, h], exactly 0 where the id is in another shard.
override ROWS: u32;        // rows of this shard
override VOCAB_START: u32; // first id of this shard
override COLUMNS4: u32;    // vec4 columns of this table block
override OUT_STRIDE4: u32;
override OUT_OFFSET4: u32;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: vec4u; // x: tokens T
