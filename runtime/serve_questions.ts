import { RankError, type RankFault } from "../collectives/rank_error.ts";
import { DeviceError } from "../device/device_error.ts";
import type { RankAnswer, RankQuestion } from "./worker_ranks.ts";

/** What a Worker does for whoever started it. */
export interface RankService<Message> {
  /** Carries a message out; the next one waits for it. */
  readonly obey: (message: Message) => Promise<unknown>;
  /** Tells the others what this rank did. */
  readonly abort: (did: RankFault["did"]) => void;
  /** Whether a message is the last: the Worker closes itself after it. */
  readonly isLast: (message: Message) => boolean;
}

/**
 * Answers every question of whoever started this Worker, one after another. A Worker that goes without
 * being asked is at fault.
 */
export function serveQuestions<Message>(
  scope: DedicatedWorkerGlobalScope,
  { obey, abort, isLast }: RankService<Message>,
): void {
  let previous = Promise.resolve();
  let isLeaving = false;
  const close = scope.close.bind(scope);
  scope.addEventListener("error", () => abort("threw"));
  scope.addEventListener("unhandledrejection", () => abort("threw"));
  scope.addEventListener("unload", () => isLeaving || abort("exited"));
  // `close` ends without an event.
  scope.close = () => {
    if (!isLeaving) abort("closed itself");
    close();
  };
  scope.onmessage = ({ data: { id, message } }: MessageEvent<RankQuestion<Message>>) => {
    previous = previous.then(async () => {
      isLeaving = isLast(message);
      const answer = await answerTo(id, () => obey(message));
      // First the words, then the deed: who sees the deed finds the words.
      if (answer.kind !== "done" || id !== undefined) scope.postMessage(answer);
      if (answer.kind === "failed") abort(answer.did);
      if (isLeaving) close();
    });
  };
}

async function answerTo(
  id: number | undefined,
  obey: () => Promise<unknown>,
): Promise<RankAnswer> {
  try {
    return { id, kind: "done", result: await obey() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof RankError) return { id, kind: "aborted", message };
    const isLost = error instanceof DeviceError && error.kind === "DeviceLost";
    return { id, kind: "failed", message, did: isLost ? "lost its device" : "threw" };
  }
}
