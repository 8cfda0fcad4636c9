import { RankError } from "../collectives/transports/communicator.ts";
import { DeviceError } from "../device/device_error.ts";
import type { RankAnswer, RankQuestion } from "./worker_ranks.ts";

/** What a Worker does for whoever started it. */
export interface WorkerEnd<Message> {
  /** Carries a message out; the next one waits for it. */
  readonly obey: (message: Message) => Promise<unknown>;
  /** Tells the others that this one failed. */
  readonly onFailure: () => void;
  /** Whether a message is the last: the Worker closes itself after it. */
  readonly isLast: (message: Message) => boolean;
}

/**
 * Answers every question of whoever started this Worker, one after another. A Worker that goes without
 * being asked has failed.
 */
export function serveQuestions<Message>(
  scope: DedicatedWorkerGlobalScope,
  end: WorkerEnd<Message>,
): void {
  let previous = Promise.resolve();
  let isLeaving = false;
  const close = scope.close.bind(scope);
  const failUnlessLeaving = () => {
    if (!isLeaving) end.onFailure();
  };
  scope.addEventListener("unload", failUnlessLeaving);
  // `close` ends without an event.
  scope.close = () => {
    failUnlessLeaving();
    close();
  };
  scope.onmessage = ({ data }: MessageEvent<RankQuestion<Message>>) => {
    previous = previous.then(async () => {
      isLeaving = end.isLast(data.message);
      const answer = await answerTo(data, end);
      if (answer.kind === "failed" || answer.id !== undefined) scope.postMessage(answer);
      if (isLeaving) close();
    });
  };
}

async function answerTo<Message>(
  { id, message }: RankQuestion<Message>,
  { obey, onFailure }: WorkerEnd<Message>,
): Promise<RankAnswer> {
  try {
    return { id, kind: "done", result: await obey(message) };
  } catch (error) {
    if (error instanceof RankError) {
      return { id, kind: "failed", message: error.message, peer: error.rank };
    }
    onFailure();
    return {
      id,
      kind: "failed",
      message: error instanceof Error ? error.message : String(error),
      isDeviceLost: error instanceof DeviceError && error.kind === "DeviceLost",
    };
  }
}
