/** Counts the bytes that live in device buffers, by label. */
export class Ledger {
  readonly #bytes = new Map<string, number>();
  #totalBytes = 0;

  /** Bytes allocated now, over all labels. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Notes an allocation. */
  add(label: string, bytes: number): void {
    this.#bytes.set(label, (this.#bytes.get(label) ?? 0) + bytes);
    this.#totalBytes += bytes;
  }

  /**
   * Notes that an allocation ended; a label with nothing left disappears.
   * @throws {RangeError} where the label has fewer bytes.
   */
  remove(label: string, bytes: number): void {
    const left = (this.#bytes.get(label) ?? 0) - bytes;
    if (left < 0) throw new RangeError(`Cannot free "${label}": ${-left} bytes more than it has`);
    if (left === 0) this.#bytes.delete(label);
    else this.#bytes.set(label, left);
    this.#totalBytes -= bytes;
  }

  /** Bytes of each label that has any. */
  bytesByLabel(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bytes);
  }
}
