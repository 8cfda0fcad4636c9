/** Ranks in Workers, as whoever starts them sees them: questions, answers, the first fault. */

import { RankError, type RankFault } from "../collectives/rank_error.ts";
import { Watchdog, type WatchdogState } from "../collectives/transports/watchdog.ts";
import { DeviceError } from "../device/device_error.ts";

/** A question to a rank; one without an id is answered only where it fails. */
export interface RankQuestion<Message> {
  readonly id: number | undefined;
  readonly message: Message;
}

/** A rank's answer: a result, an error of its own, or that another rank is at fault. */
export type RankAnswer =
  & { readonly id: number | undefined }
  & (
    | { readonly kind: "done"; readonly result: unknown }
    | { readonly kind: "failed"; readonly message: string; readonly did: RankFault["did"] }
    | { readonly kind: "aborted"; readonly message: string }
  );

/** What the owner of ranks decides. */
export interface WorkerRanksOptions<Message> {
  /** The ranks in the layout, by Worker. */
  readonly globalRanks: readonly number[];
  /** What the ranks share, that says which one was first at fault. */
  readonly watchdog: WatchdogState;
  /** What lets a rank free what it holds and close itself. */
  readonly leave: Message;
  /** What a rank is doing, for an error of it: words after its message. */
  readonly doing?: (localRank: number) => string;
}

/** A rank that was asked to leave and has not gone by then is stopped. */
const LEAVE_MS = 2000;
/** One that is at fault and did not answer a question with it will hardly answer this one. */
const SILENT_LEAVE_MS = 200;
/** So long the words of a rank that threw may take: they were sent before it was known. */
const WORDS_MS = 10_000;

/** Workers that answer questions in order; the first fault is everyone's. */
export class WorkerRanks<Message> implements AsyncDisposable {
  readonly #workers: readonly Worker[];
  readonly #options: WorkerRanksOptions<Message>;
  readonly #watchdog: Watchdog;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  /** The text of each rank's own error. */
  readonly #words: readonly PromiseWithResolvers<string>[];
  readonly #silent = new Set<number>();
  #next = 0;
  #isClosed = false;
  #failure: RankError | undefined;

  /** Takes Workers that run `serveQuestions`, by local rank: their place in this list. */
  constructor(workers: readonly Worker[], options: WorkerRanksOptions<Message>) {
    this.#workers = workers;
    this.#options = options;
    this.#watchdog = new Watchdog(options.watchdog);
    this.#words = workers.map(() => Promise.withResolvers());
    for (const [localRank, worker] of workers.entries()) {
      worker.onmessage = ({ data }: MessageEvent<RankAnswer>) => this.#take(localRank, data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.#silent.add(localRank);
        this.#note(localRank, event.message, "threw");
      };
    }
    this.#watch();
  }

  /** Asks one rank. */
  ask(localRank: number, message: Message): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#isClosed) return Promise.reject(closedError());
    const id = this.#next++;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    answer.promise.catch(() => {}); // whoever waits for it sees the error
    this.#post(localRank, { id, message });
    return answer.promise;
  }

  /** Tells one rank something that it answers only where it fails. */
  tell(localRank: number, message: Message): void {
    this.#post(localRank, { id: undefined, message });
  }

  /** Asks every rank at once; answers by local rank. */
  async askAll(message: (localRank: number) => Message): Promise<readonly unknown[]> {
    return await Promise.all(this.#workers.map((_, i) => this.ask(i, message(i))));
  }

  /** Lets every rank free what it holds and close itself; one that hangs is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#rejectAll(closedError());
    for (const { resolve } of this.#words) resolve("");
    this.#watchdog.release();
    await Promise.all(this.#workers.map(async (worker, localRank) => {
      const { promise: isLate, resolve } = Promise.withResolvers<boolean>();
      const id = this.#next++;
      worker.onmessage = ({ data }: MessageEvent<RankAnswer>) => {
        if (data.id === id) resolve(false);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(false);
      };
      const withinMs = this.#silent.has(localRank) ? SILENT_LEAVE_MS : LEAVE_MS;
      const timer = setTimeout(() => resolve(true), withinMs);
      this.#post(localRank, { id, message: this.#options.leave });
      if (await isLate) worker.terminate();
      clearTimeout(timer);
    }));
  }

  #post(localRank: number, question: RankQuestion<Message>): void {
    this.#workers[localRank]!.postMessage(question);
  }

  #take(localRank: number, answer: RankAnswer): void {
    if (answer.kind === "failed") this.#note(localRank, answer.message, answer.did);
    if (answer.kind !== "done") return;
    this.#pending.get(answer.id!)?.resolve(answer.result);
    this.#pending.delete(answer.id!);
  }

  #note(localRank: number, words: string, did: RankFault["did"]): void {
    this.#words[localRank]!.resolve(`: ${words}`);
    this.#watchdog.abort({ globalRank: this.#options.globalRanks[localRank]!, did });
  }

  /** Once a rank is at fault, every question that is open or yet to come is answered with that. */
  async #watch(): Promise<void> {
    const fault = await this.#watchdog.aborted();
    if (!fault || this.#isClosed) return;
    const { globalRanks, doing } = this.#options;
    const localRank = globalRanks.indexOf(fault.globalRank);
    const hasWords = fault.did === "threw" || fault.did === "lost its device";
    let words = "";
    if (hasWords) {
      const { promise, resolve } = this.#words[localRank]!;
      const timer = setTimeout(() => resolve(""), WORDS_MS);
      words = await promise;
      clearTimeout(timer);
    } else this.#silent.add(localRank);
    const details = `${words}${doing?.(localRank) ?? ""}`;
    const cause = fault.did === "lost its device"
      ? new DeviceError("DeviceLost", `Rank ${fault.globalRank} lost its device${words}`)
      : undefined;
    this.#failure = new RankError(fault, { details, cause });
    this.#rejectAll(this.#failure);
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function closedError(): DeviceError {
  return new DeviceError("Validation", "Cannot ask the ranks: they are closed");
}
