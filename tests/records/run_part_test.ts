import { assertEquals } from "@std/assert";
import { RECORDED_VARIABLES } from "../../records/run_folder/environment.ts";
import {
  fieldsOfParts,
  type NewPart,
  partDifferences,
  type RunPart,
} from "../../records/run_folder/run_part.ts";

const PART: NewPart = {
  environment: {
    commit: { id: "abc", dirty: null },
    sources_hash: "012",
    deno_version: "2.9",
    os_release: "6.1",
    cpu_model: "a CPU",
    logical_cores: 2,
    memory_total_bytes: 1,
    variables: {},
  },
  adapter: { name: "an adapter", type: "software", features: ["f16"], limits: { a: 8 } },
  selection: { suites: ["kernels"], filter: null },
};

const withEnvironment = (fields: Readonly<Record<string, unknown>>): NewPart => ({
  ...PART,
  environment: { ...PART.environment, ...fields },
});
const withAdapter = (fields: Readonly<Record<string, unknown>>): NewPart => ({
  ...PART,
  adapter: { ...PART.adapter, ...fields },
});

Deno.test("parts are of one kind where adapter, driver, commit, sources and machine are", () => {
  const driver = "driver (features and limits of the adapter)";
  const [was, is] = ['{"features":["f16"],"limits":{"a":8}}', '{"features":[],"limits":{"a":8}}'];
  const cases: readonly (readonly [NewPart, ...string[]])[] = [
    [PART],
    [withEnvironment({ memory_total_bytes: 2, commit: { id: "abc", dirty: true } })],
    [{ ...PART, selection: { suites: [], filter: "a" } }],
    [withAdapter({ limits: { a: 8 }, features: ["f16"] })],
    [withAdapter({ name: "b" }), "adapter was an adapter (software) and is b (software)"],
    [withAdapter({ type: "b" }), "adapter was an adapter (software) and is an adapter (b)"],
    [withAdapter({ features: [] }), `${driver} was ${was} and is ${is}`],
    [withEnvironment({ commit: { id: "d" } }), "commit was abc and is d"],
    [withEnvironment({ commit: null }), "commit was abc and is null"],
    [withEnvironment({ sources_hash: "3" }), "sources (sources_hash) was 012 and is 3"],
    [withEnvironment({ deno_version: "3" }), "deno_version was 2.9 and is 3"],
    [withEnvironment({ os_release: "7" }), "os_release was 6.1 and is 7"],
    [withEnvironment({ cpu_model: undefined }), "cpu_model was a CPU and is null"],
    [
      withEnvironment({ logical_cores: 4, cpu_model: "b" }),
      "cpu_model was a CPU and is b",
      "logical_cores was 2 and is 4",
    ],
  ];
  for (const [now, ...expected] of cases) assertEquals(partDifferences(PART, now), expected);
});

Deno.test("every recorded variable must be the same, but for the one that turns colours off", () => {
  for (const name of RECORDED_VARIABLES) {
    const now = withEnvironment({ variables: { [name]: "1" } });
    assertEquals(
      partDifferences(PART, now),
      name === "NO_COLOR" ? [] : [`${name} was null and is 1`],
    );
  }
});

Deno.test("values of 200 letters and more are not told, only that they differ", () => {
  const differences = (length: number) =>
    partDifferences(PART, withEnvironment({ cpu_model: "x".repeat(length - "a CPU".length) }));
  assertEquals(differences(199), [`cpu_model was a CPU and is ${"x".repeat(194)}`]);
  assertEquals(differences(200), ["cpu_model differ"]);
});

/** What is said of parts that have these selections and shaders. */
function fieldsOf(...parts: readonly Partial<RunPart>[]) {
  return fieldsOfParts(parts.map((part, i) => ({
    started_at: `start ${i}`,
    ...PART,
    environment: { place: i },
    ...part,
  })));
}

Deno.test("a run is said to be what its last part is, without the part's times", () => {
  const { selection: _, ...fields } = fieldsOf(
    { ended_at: "a" },
    { ended_at: "b", resumed_anyway: ["commit"] },
  );
  assertEquals(fields, { environment: { place: 1 }, adapter: PART.adapter });
});

Deno.test("a run's shaders are those of all parts, the later ones where both have them", () => {
  assertEquals("shaders" in fieldsOf({}, {}), false);
  assertEquals(
    fieldsOf({ shaders: { a: "1", b: "2" } }, { shaders: { b: "3" } })["shaders"],
    { a: "1", b: "3" },
  );
  assertEquals(fieldsOf({ shaders: { a: "1" } }, {})["shaders"], { a: "1" });
});

Deno.test("a run's suites are in their order, and its filter is what any part's lets through", () => {
  const selection = (...all: readonly RunPart["selection"][]) =>
    fieldsOf(...all.map((selection) => ({ selection })))["selection"] as RunPart["selection"];
  const of = (suite: string, filter: string | null) => ({ suites: [suite], filter });
  assertEquals(selection(of("kernels", "a")), { suites: ["kernels"], filter: "a" });
  assertEquals(selection(of("schedules", null), of("kernels", null)), {
    suites: ["kernels", "schedules"],
    filter: null,
  });
  assertEquals(selection(of("kernels", "a"), of("kernels", "a")).filter, "a");
  assertEquals(selection(of("kernels", "a"), of("kernels", null)).filter, null);
  assertEquals(selection(of("kernels", "a|b"), of("kernels", "c")).filter, "(?:a|b)|(?:c)");
});
