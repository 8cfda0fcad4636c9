/** Ranks in Workers, as whoever starts them sees them: questions, answers, failures. */

import { RankError } from "../collectives/transports/communicator.ts";
import { DeviceError } from "../device/device_error.ts";

/** A question to a rank; one without an id is answered only where it fails. */
export interface RankQuestion<Message> {
  readonly id: number | undefined;
  readonly message: Message;
}

/** A rank's answer; `peer` is the number of the rank that it blames. */
export type RankAnswer =
  | { readonly id: number | undefined; readonly kind: "done"; readonly result: unknown }
  | {
    readonly id: number | undefined;
    readonly kind: "failed";
    readonly message: string;
    readonly peer?: number | undefined;
    readonly isDeviceLost?: boolean | undefined;
  };

/** What the owner of ranks decides. */
export interface WorkerRanksOptions<Message> {
  /** What lets a rank free what it holds and close itself. */
  readonly leave: Message;
  /** Wakes every rank that waits for the one that failed. */
  readonly onFailure: (rank: number) => void;
  /** What errors call the ranks; their places where absent. */
  readonly numbers?: readonly number[];
  /** What a rank is doing, for an error of it: words after its message. */
  readonly doing?: (rank: number) => string;
}

/** A rank that was asked to leave and has not gone by then is stopped. */
const LEAVE_MS = 2000;
/** After a failure, no longer than this. */
const LEAVE_FAILED_MS = 200;
/** So long the rank at fault may take to say so itself, once another one blames it. */
const GRACE_MS = 300;

interface Pending {
  readonly rank: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: RankError) => void;
}

/** Workers that answer questions in order; the first failure is everyone's. */
export class WorkerRanks<Message> implements AsyncDisposable {
  readonly #workers: readonly Worker[];
  readonly #options: WorkerRanksOptions<Message>;
  readonly #pending = new Map<number, Pending>();
  readonly #closed = new AbortController();
  #next = 0;
  #failure: RankError | undefined;

  /** Takes Workers that run {@linkcode serveQuestions}, rank by rank. */
  constructor(workers: readonly Worker[], options: WorkerRanksOptions<Message>) {
    this.#workers = workers;
    this.#options = options;
    for (const [rank, worker] of workers.entries()) {
      worker.onmessage = ({ data }: MessageEvent<RankAnswer>) => this.#take(rank, data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.fail(rank, `failed: ${event.message}`);
      };
    }
  }

  /** The first failure. */
  get failure(): RankError | undefined {
    return this.#failure;
  }

  /** Asks one rank. */
  ask(rank: number, message: Message): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => {
      this.#pending.set(id, { rank, resolve, reject });
    });
    answer.catch(() => {}); // whoever waits for it sees the error
    this.#workers[rank]!.postMessage({ id, message } satisfies RankQuestion<Message>);
    return answer;
  }

  /** Tells one rank something that it answers only where it fails. */
  tell(rank: number, message: Message): void {
    const question: RankQuestion<Message> = { id: undefined, message };
    this.#workers[rank]!.postMessage(question);
  }

  /** Asks every rank at once; answers by rank. */
  async askAll(message: (rank: number) => Message): Promise<readonly unknown[]> {
    return await Promise.all(this.#workers.map((_, rank) => this.ask(rank, message(rank))));
  }

  /** Declares a rank failed: every question that is open or yet to come is answered with that. */
  fail(rank: number, what: string, cause?: unknown): void {
    if (this.#failure) return;
    const { doing, numbers, onFailure } = this.#options;
    const number = numbers?.[rank] ?? rank;
    this.#failure = new RankError(number, `${what}${doing?.(rank) ?? ""}`, { cause });
    onFailure(rank);
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }

  /** Lets every rank free what it holds and close itself; one that hangs is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#workers.map(async (worker) => {
      const timer = new AbortController();
      const left = new Promise<void>((resolve) => {
        const id = this.#next++;
        worker.onmessage = ({ data }: MessageEvent<RankAnswer>) => {
          if (data.id === id) resolve();
        };
        worker.onerror = (event) => {
          event.preventDefault();
          resolve();
        };
        worker.postMessage(
          { id, message: this.#options.leave } satisfies RankQuestion<Message>,
        );
      });
      const isLate = await Promise.race([
        left.then(() => false),
        expire(this.#failure ? LEAVE_FAILED_MS : LEAVE_MS, timer.signal),
      ]);
      timer.abort();
      if (isLate) worker.terminate();
    }));
  }

  #take(rank: number, answer: RankAnswer): void {
    if (answer.kind === "done") {
      this.#pending.get(answer.id!)?.resolve(answer.result);
      this.#pending.delete(answer.id!);
      return;
    }
    const { peer, message } = answer;
    if (peer === undefined) {
      const cause = answer.isDeviceLost ? new DeviceError("DeviceLost", message) : undefined;
      return this.fail(rank, `failed: ${message}`, cause);
    }
    // The one that it blames may yet say what happened.
    const culprit = this.#options.numbers?.indexOf(peer) ?? peer;
    this.#options.onFailure(culprit);
    const what = /rank \d+ (.*)$/.exec(message)?.[1] ?? "failed";
    expire(GRACE_MS, this.#closed.signal).then((isLate) => isLate && this.fail(culprit, what));
  }
}

/** True after so many ms, unless it is called off. */
function expire(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
