import { WholeFile } from "./write_whole.ts";

/** The CSV file of all logits; it appears under its name when it is whole. */
export class LogitsFile extends WholeFile {
  /** Starts a file beside the one it will be. FileError where it cannot be made. */
  constructor(path: string) {
    super(path);
    this.append("position,token_id,logit\r\n");
  }

  /** Adds the logits of one generated token: position counts from 0. */
  write(position: number, logits: Float32Array): void {
    this.append(Array.from(logits, (logit, id) => `${position},${id},${logit}\r\n`).join(""));
  }
}
