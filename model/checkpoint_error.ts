/** A checkpoint that cannot be read or does not fit its config.json; carries every problem at once. */
export class CheckpointError extends Error {
  /** Always "CheckpointError". */
  override readonly name = "CheckpointError";

  /** The folder or file, and what is wrong with it, a line each. */
  constructor(readonly path: string, readonly problems: readonly string[]) {
    super([`Cannot use the weights in "${path}":`, ...problems].join("\n  "));
  }
}
