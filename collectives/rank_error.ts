/**
 * What a rank can do that ends its group, in the words of an error.
 * @internal
 */
export const RANK_FAULTS = [
  "threw",
  "lost its device",
  "exited",
  "closed itself",
  "did not come",
  "sent nothing",
  "took nothing",
  "did nothing",
] as const;

/** A rank at fault, and what it did. */
export interface RankFault {
  /** Its rank in the layout. */
  readonly globalRank: number;
  /** In the words of the message. */
  readonly did: typeof RANK_FAULTS[number];
  /** Of what it did not do in time: how long it had, in ms. */
  readonly withinMs?: number;
}

/** Ranks cannot go on because of one of them: the error of each, with the same words. */
export class RankError extends Error {
  /** Always "RankError". */
  override readonly name = "RankError";

  /** `details` are further words after what the rank did. */
  constructor(
    readonly fault: RankFault,
    { details = "", ...options }: ErrorOptions & { readonly details?: string } = {},
  ) {
    const { globalRank, did, withinMs } = fault;
    const within = withinMs === undefined ? "" : ` within ${withinMs} ms`;
    super(`Cannot go on: rank ${globalRank} ${did}${within}${details}`, options);
  }
}
