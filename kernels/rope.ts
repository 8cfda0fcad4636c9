import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, tokenWords, UNIT_ROUNDOFF, vec4s } from "./kernel.ts";
import naiveWgsl from "./rope_naive.wgsl" with { type: "text" };
import sharedWgsl from "./rope_shared.wgsl" with { type: "text" };
import vectorWgsl from "./rope_vector.wgsl" with { type: "text" };

/** How rotary frequencies are stretched for long contexts; names as in Hugging Face's config.json. */
export type RopeScaling =
  | { readonly kind: "linear"; readonly factor: number }
  | {
    readonly kind: "llama3";
    readonly factor: number;
    readonly lowFreqFactor: number;
    readonly highFreqFactor: number;
    readonly originalMaxPositions: number;
  };

/** Rotation of the first `heads` heads of each row of x, as many as queries and keys together. */
export interface RopeShape {
  /** T. */
  readonly tokens: number;
  /** Heads that are rotated: N + K. */
  readonly heads: number;
  /** D, an even number. */
  readonly headSize: number;
  /** Columns of x; the ones after the rotated heads are left out of the result. */
  readonly xColumns: number;
  /** Rows of the table of angles: positions 0 to context - 1. */
  readonly context: number;
  /** Base of the frequencies; 10000 in the paper. */
  readonly theta: number;
  /** How frequencies are stretched; default not. */
  readonly scaling?: RopeScaling | undefined;
  /** Position of each token; default the last `tokens` of the context. */
  readonly positions?: readonly number[];
}

/** Positions of tokens that end a context. */
export function lastPositions(tokens: number, context: number): number[] {
  return Array.from({ length: tokens }, (_, t) => context - tokens + t);
}

/** What decides the angles of positions. */
type RopeAngles = Pick<RopeShape, "context" | "headSize" | "theta" | "scaling">;

/**
 * Radians a position of pair `i`: theta^(-2 i / headSize), stretched. Llama 3 divides the frequencies
 * whose wave is longer than the original context by `factor`, keeps the short ones, and blends in between.
 */
function ropeFrequency(i: number, { headSize, theta, scaling }: RopeAngles): number {
  const frequency = theta ** (-2 * i / headSize);
  if (scaling === undefined) return frequency;
  if (scaling.kind === "linear") return frequency / scaling.factor;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const waves = originalMaxPositions * frequency / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (waves - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
  return frequency * (kept + (1 - kept) / factor);
}

/**
 * The table of angles [context, headSize]: cos then sin of position times frequency, computed in
 * float64 and rounded once, so that long contexts lose nothing.
 */
function ropeAngles(shape: RopeAngles): Float32Array {
  const { context, headSize } = shape;
  const half = headSize / 2;
  const angles = new Float32Array(context * headSize);
  for (let i = 0; i < half; i++) {
    const frequency = ropeFrequency(i, shape);
    for (let p = 0; p < context; p++) {
      angles[p * headSize + i] = Math.cos(p * frequency);
      angles[p * headSize + half + i] = Math.sin(p * frequency);
    }
  }
  return angles;
}

/** Rotary position embedding (Su et al., 2021), half-split as in Hugging Face's Llama: out [T, heads * D]. */
export const rope = defineKernel<RopeShape>({
  name: "rope",
  fields: {
    tokens: "count",
    heads: "size",
    headSize: "size",
    xColumns: "size",
    context: "size",
    theta: "real",
  },
  program: ({ tokens, heads, headSize, xColumns }) => ({
    wgsl: [wgslFile("rope_shared.wgsl", sharedWgsl)],
    constants: {
      HEADS: heads,
      HALF: headSize / 2,
      X_STRIDE: vec4s(xColumns) * 4,
      STRIDE: vec4s(heads * headSize) * 4,
    },
    params: [],
    size: [heads * headSize / 2, tokens],
  }),
  variants: {
    naive: { wgsl: wgslFile("rope_naive.wgsl", naiveWgsl), tile: [64] },
    vector: {
      wgsl: wgslFile("rope_vector.wgsl", vectorWgsl),
      tile: [8 * 4],
      unsupported: ({ headSize }) =>
        headSize % 8 !== 0 ? `head size ${headSize} is no multiple of 8` : undefined,
    },
  },
  tensors: ({ tokens, heads, headSize, xColumns, context, theta, scaling, positions }) => ({
    x: float32(tokens, xColumns, 1),
    positions: tokenWords(tokens, positions ?? lastPositions(tokens, context)),
    angles: {
      ...float32(context, headSize),
      fill: { kind: "floats", floats: () => ropeAngles({ context, headSize, theta, scaling }) },
    },
    out: float32(tokens, heads * headSize),
  }),
  untuned: ["theta", "scaling", "positions"],
  outputs: ["out"],
  cost: ({ tokens, heads, headSize, context, positions = lastPositions(tokens, context) }) => ({
    flops: 3 * tokens * heads * headSize,
    bytesRead: (tokens * heads + new Set(positions).size) * headSize * 4,
    bytesWritten: tokens * heads * headSize * 4,
  }),
  // Angles are computed anew: the table is part of what is checked.
  reference: (shape, tensors) => {
    const { tokens, heads, headSize, xColumns } = shape;
    const x = host(tensors, "x");
    const positions = host(tensors, "positions");
    const out = host(tensors, "out");
    const half = headSize / 2;
    for (let t = 0; t < tokens; t++) {
      for (let i = 0; i < half; i++) {
        const angle = positions[t]! * ropeFrequency(i, shape);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let n = 0; n < heads; n++) {
          const from = t * xColumns + n * headSize + i;
          const to = (t * heads + n) * headSize + i;
          out[to] = x[from]! * c - x[from + half]! * s;
          out[to + half] = x[from + half]! * c + x[from]! * s;
        }
      }
    }
  },
  // Both products and their sum round once, and so did the table: of a rotated pair, |cos| + |sin| <= sqrt(2).
  errorBound: (_, { x }) => 3 * Math.SQRT2 * UNIT_ROUNDOFF * x!.max,
  edgeCases: ({ headSize, theta, scaling }) => [{
    name: "far positions",
    shape: {
      ...{ tokens: 3, heads: 2, headSize, xColumns: 2 * headSize, context: 2051, theta, scaling },
      positions: [2050, 1001, 1025],
    },
  }],
});
