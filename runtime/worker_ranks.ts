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

/**
 * How long a rank may be silent after a question of each kind, in ms: by then it has answered, or
 * something has moved. Every kind has one, so nothing is asked without end.
 */
export type Deadlines<Message extends RankRequest> = Readonly<Record<Message["kind"], number>>;

/** What ranks are told: a kind, and what belongs to it. */
export interface RankRequest {
  readonly kind: string;
}

/** What the owner of ranks decides. */
export interface WorkerRanksOptions<Message extends RankRequest> {
  /** The ranks in the layout, by Worker. */
  readonly globalRanks: readonly number[];
  /** What the ranks share, that says which one was first at fault. */
  readonly watchdog: WatchdogState;
  /** What lets a rank free what it holds and close itself. */
  readonly leave: Message;
  /** The last one's is how long a rank that leaves has before it is stopped. */
  readonly deadlinesMs: Deadlines<Message>;
  /** Changes while any rank gets on with what it does; where absent, only answers count. */
  readonly progress?: (() => string) | undefined;
  /** What a rank is doing, for an error of it: words after its message; else what it was asked is said. */
  readonly doing?: (localRank: number) => string;
  /** Ends every wait for an answer at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A question that was not answered yet. */
interface OpenQuestion extends PromiseWithResolvers<unknown> {
  readonly localRank: number;
  readonly kind: string;
  readonly timer: ReturnType<typeof setInterval>;
}

/** How long a rank that leaves has, in ms. */
export const LEAVE_MS = 2000;
/** One that is at fault and did not answer a question with it will hardly answer this one. */
const SILENT_LEAVE_MS = 200;
/** After an interrupt nobody wants to wait. */
const INTERRUPTED_LEAVE_MS = 500;
/** So long the words of a rank that threw may take: they were sent before it was known. */
const WORDS_MS = 10_000;

/** Workers that answer questions in order; the first fault is everyone's. */
export class WorkerRanks<Message extends RankRequest> implements AsyncDisposable {
  readonly #workers: readonly Worker[];
  readonly #options: WorkerRanksOptions<Message>;
  readonly #watchdog: Watchdog;
  readonly #pending = new Map<number, OpenQuestion>();
  /** The text of each rank's own error. */
  readonly #words: readonly PromiseWithResolvers<string>[];
  readonly #silent = new Set<number>();
  #next = 0;
  #isClosed = false;
  #failure: Error | undefined;

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
    options.signal?.addEventListener("abort", this.#interrupt);
    this.#watch();
  }

  /** Asks one rank; the only way to an answer, and it has the deadline of its kind. */
  ask(localRank: number, message: Message): Promise<unknown> {
    const { signal } = this.#options;
    if (signal?.aborted) this.#failure ??= signal.reason as Error;
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#isClosed) return Promise.reject(closedError());
    const id = this.#next++;
    const { kind } = message;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, { ...answer, localRank, kind, timer: this.#deadline(localRank, kind) });
    answer.promise.catch(() => {}); // whoever waits for it sees the error
    this.#post(localRank, { id, message });
    return answer.promise;
  }

  /**
   * Tells one rank something that it answers only where it fails: its part of what another one is asked,
   * whose answer waits for it.
   */
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
    const { signal, leave, deadlinesMs } = this.#options;
    signal?.removeEventListener("abort", this.#interrupt);
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
      const withinMs = Math.min(
        deadlinesMs[leave.kind as Message["kind"]],
        this.#silent.has(localRank) ? SILENT_LEAVE_MS : Infinity,
        signal?.aborted ? INTERRUPTED_LEAVE_MS : Infinity,
      );
      const timer = setTimeout(() => resolve(true), withinMs);
      this.#post(localRank, { id, message: leave });
      if (await isLate) worker.terminate();
      clearTimeout(timer);
    }));
  }

  #post(localRank: number, question: RankQuestion<Message>): void {
    this.#workers[localRank]!.postMessage(question);
  }

  #take(localRank: number, answer: RankAnswer): void {
    if (answer.kind === "failed") this.#note(localRank, answer.message, answer.did);
    const question = this.#pending.get(answer.id!);
    if (answer.kind !== "done" || !question) return;
    clearInterval(question.timer);
    question.resolve(answer.result);
    this.#pending.delete(answer.id!);
  }

  /** Looks whether anything has moved since; a rank that waits for another is not yet to blame. */
  #deadline(localRank: number, kind: string): ReturnType<typeof setInterval> {
    const { globalRanks, deadlinesMs, progress = () => "" } = this.#options;
    const withinMs = deadlinesMs[kind as Message["kind"]];
    const globalRank = globalRanks[localRank]!;
    let seen = progress();
    let patience = globalRanks.length;
    return setInterval(() => {
      const now = progress();
      if (now !== seen) seen = now;
      else if (!this.#watchdog.isWaiting(globalRank) || patience-- === 0) {
        this.#watchdog.abort({ globalRank, did: "did nothing", withinMs });
      }
    }, withinMs);
  }

  readonly #interrupt = () => {
    this.#failure ??= this.#options.signal!.reason as Error;
    this.#rejectAll(this.#failure);
  };

  #note(localRank: number, words: string, did: RankFault["did"]): void {
    this.#words[localRank]!.resolve(`: ${words}`);
    this.#watchdog.abort({ globalRank: this.#options.globalRanks[localRank]!, did });
  }

  /** Once a rank is at fault, every question that is open or yet to come is answered with that. */
  async #watch(): Promise<void> {
    const fault = await this.#watchdog.aborted();
    if (!fault || this.#isClosed || this.#failure) return;
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
    const details = `${words}${doing?.(localRank) || this.#asked(localRank)}`;
    const cause = fault.did === "lost its device"
      ? new DeviceError("DeviceLost", `Rank ${fault.globalRank} lost its device${words}`)
      : undefined;
    this.#failure ??= new RankError(fault, { details, cause });
    this.#rejectAll(this.#failure);
  }

  /** What a rank was asked first of all that it has not answered. */
  #asked(localRank: number): string {
    const first = this.#pending.values().find((question) => question.localRank === localRank);
    return first ? ` (at ${first.kind})` : "";
  }

  #rejectAll(error: Error): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearInterval(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}

function closedError(): DeviceError {
  return new DeviceError("Validation", "Cannot ask the ranks: they are closed");
}
