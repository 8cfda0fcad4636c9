/** Stands for the next token where logits are not finite, so that none can be chosen. */
export const NO_TOKEN = -1;

/** Logits that are infinite or no numbers: whatever token came of them would be wrong. */
export class LogitsError extends Error {
  /** Always "LogitsError". */
  override readonly name = "LogitsError";

  /** The request whose next token cannot be chosen, and the position that it would have. */
  constructor(readonly requestId: number, readonly position: number) {
    super(
      `Cannot choose the token at position ${position} of request ${requestId}: its logits are not finite`,
    );
  }
}
