/** The three suites, in the order in which they run. */
export const SUITES = ["kernels", "collectives", "schedules"] as const;

/** The name of a suite, which is also its key in the configuration and the name of its CSV file. */
export type Suite = typeof SUITES[number];
