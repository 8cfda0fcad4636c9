import { EngineCore } from "./engine_core.ts";
import type { Schedule } from "./schedule.ts";

const engineCore: Schedule["engine"] = (scheduler, executor) => new EngineCore(scheduler, executor);

const RECORDS = {
  step: { depths: () => [1], engine: engineCore },
  step_with_batch_queue: { depths: (configured) => configured, engine: engineCore },
} satisfies Record<string, Schedule>;

/**
 * The name of a schedule.
 * @internal
 */
export type ScheduleName = keyof typeof RECORDS;

/** Every schedule by its name. */
export const SCHEDULES: Readonly<Record<ScheduleName, Schedule>> = RECORDS;
