import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { readRows } from "../../records/files/csv_rows.ts";
import { inProcess } from "./in_process.ts";
import { inConfigFolder, shardbench } from "./shardbench.ts";

Deno.test("run measures every case, checks it, and names the CSV last", () =>
  inConfigFolder(async (folder, config) => {
    const { status, stdout, stderr } = await shardbench([
      "run",
      "--config",
      config,
      "--only",
      "kernels,schedules",
      "--out",
      `${folder}/out`,
    ]);
    assertEquals(status, 0, stderr);
    const paths = ["kernels", "schedules"].map((suite) => `${folder}/out/${suite}.csv`);
    assertEquals(stdout.trim().split("\n").slice(-2), paths);
    const { rows } = readRows(`${folder}/out/kernels.csv`);
    assertEquals(rows.length, 16);
    for (const row of rows) {
      assertEquals([row["status"], row["wrong_elements"]], ["ok", "0"], JSON.stringify(row));
      assert(Number(row["samples"]) >= 3);
      assertEquals(row["verified_iterations"], row["samples"]);
      assert(Number(row["time_us_min"]) > 0);
    }
    assertEquals(new Set(rows.map((row) => row["row_key"])).size, 16);
    const samples = (await Deno.readTextFile(`${folder}/out/samples.jsonl`)).trim().split("\n");
    assertEquals(samples.length, 17);
    const [served, ...others] = readRows(`${folder}/out/schedules.csv`).rows;
    assertEquals(others, []);
    assertEquals(served!["status"], "ok", JSON.stringify(served));
    assertEquals([served!["token_mismatches"], served!["max_in_flight"]], ["0", "1"]);
    assertEquals([served!["reference_tokens"], served!["reference_mismatches"]], ["3", "0"]);
    const shares = ["busy", "fill_drain", "imbalance", "transfer", "host_gap"];
    const sum = shares.reduce((total, share) => total + Number(served![`${share}_pct`]), 0);
    assert(
      Math.abs(sum - Number(served!["closure_pct"])) < 0.01 && sum > 50 && sum <= 100.01,
      `${sum}`,
    );
    for (
      const column of ["ttft_ms_median", "tpot_ms_median", "output_tokens_per_s", "ceiling_pct"]
    ) {
      assert(Number(served![column]) > 0, column);
    }
  }));

Deno.test("resume after a cut measures the missing rows only, on what measured the others; a finished folder is not reused", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/out`;
    const kernels = ["run", "--config", config, "--only", "kernels"];
    assertEquals((await shardbench([...kernels, "--out", out])).status, 0);
    const csv = `${out}/kernels.csv`;
    const whole = await Deno.readTextFile(csv);
    const lines = whole.split("\n");
    await Deno.writeTextFile(csv, lines.slice(0, 12).join("\n") + "\n" + lines[12]!.slice(0, 40));
    const again = await shardbench([...kernels, "--resume", out]);
    assertEquals(again.status, 0, again.stderr);
    const text = await Deno.readTextFile(csv);
    assertEquals(text.split("\n").slice(0, 12), lines.slice(0, 12));
    assertEquals(readRows(csv).rows.length, 16);
    const reused = await shardbench(["run", "--config", config, "--out", out]);
    assertEquals(reused.status, 2);
    assertStringIncludes(reused.stderr, "not empty");
    assertEquals(await Deno.readTextFile(csv), text);

    // The exit status is that of the whole run, and what measured it is not changed in passing.
    await Deno.writeTextFile(csv, text.replace(",kernels,ok,", ",kernels,wrong,"));
    const resume = [...kernels, "--resume", out];
    const other = { env: { LP_NUM_THREADS: "1" } };
    const refused = await shardbench(resume, other);
    assertEquals([refused.status, refused.stdout], [2, ""]);
    assertStringIncludes(refused.stderr, "LP_NUM_THREADS was null and is 1; --resume-anyway");
    const wrong = await shardbench([...resume, "--resume-anyway"], other);
    assertEquals(wrong.status, 3, wrong.stderr);
    assertMatch(wrong.stderr, /^wrong: \w+ float32 best tp=/m);
    const { parts } = JSON.parse(await Deno.readTextFile(`${out}/manifest.json`));
    assertEquals(parts.map((part: { resumed_anyway?: string[] }) => part.resumed_anyway), [
      undefined,
      undefined,
      ["LP_NUM_THREADS was null and is 1"],
    ]);
    const alone = await shardbench([...kernels, "--resume-anyway", "--dry-run"]);
    assertStringIncludes(alone.stderr, "it goes on with --resume");
  }));

Deno.test("dry-run prints every case that the filter leaves and measures nothing", () =>
  inConfigFolder(async (_, config) => {
    const all = await inProcess([
      "run",
      "--config",
      config,
      "--dry-run",
      "--only",
      "kernels,schedules",
    ]);
    assertEquals(all.stdout.trim().split("\n").length, 17);
    assertStringIncludes(all.stdout, "step tp=1 pp=1 dp=1 depth=1");
    const only = await inProcess(["run", "--config", config, "--dry-run", "--only", "schedules"]);
    assertEquals(only.stdout.trim().split("\n").length, 1);
    const some = await inProcess([
      "run",
      "--config",
      config,
      "--dry-run",
      "--filter",
      "^ffn .*tokens=9",
    ]);
    assertEquals(some.stdout.trim().split("\n").length, 2);
  }));

Deno.test("a selection that leaves no case is status 2 and makes nothing", () =>
  inConfigFolder(async (folder, config) => {
    const none = ["run", "--config", config, "--out", `${folder}/none`, "--filter", "zzz"];
    for (const args of [none, [...none, "--dry-run"]]) {
      const { status, stdout, stderr } = await inProcess(args);
      assertEquals([status, stdout], [2, ""]);
      assertStringIncludes(stderr, "leave no case");
    }
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => name === "none"), []);
  }));

Deno.test("collectives: rows of what can be run and of what cannot, links, exact and within bounds", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/out`;
    const { status, stdout, stderr } = await shardbench([
      "run",
      "--config",
      config,
      "--only",
      "collectives",
      "--out",
      out,
    ]);
    assertEquals(status, 0, stderr);
    assertEquals(stdout.trim().split("\n").at(-1), `${out}/collectives.csv`);
    const { rows } = readRows(`${out}/collectives.csv`);
    // 4 algorithms, 2 sizes, 2 operations, 2 numbers of ranks; host and device, one device, MPI twice.
    assertEquals(rows.length, 4 * 2 * 2 * 2 * 5);
    assertEquals(new Set(rows.map((row) => row["row_key"])).size, rows.length);
    const statuses = new Set(rows.map((row) => row["status"]));
    assertEquals(
      [...statuses].sort(),
      ["ok", "skipped"],
      JSON.stringify(rows.find((r) => r["status"] === "failed")),
    );
    for (const row of rows.filter((r) => r["status"] === "skipped")) assert(row["reason"] !== "");
    const ok = rows.filter((row) => row["status"] === "ok");
    for (const row of ok) {
      const about = JSON.stringify(row);
      assertEquals(
        [row["wrong_elements"], row["verified_iterations"]],
        ["0", row["samples"]],
        about,
      );
      assert(Number(row["max_abs_error"]) <= Number(row["tolerance"]), about);
      assertEquals(row["tolerance"] === "0", row["algorithm"] !== "one_shot_int8", about);
      assert(Number(row["time_us_min_rank"]) <= Number(row["time_us_median"]), about);
      const seconds = Number(row["time_us_median"]) * 1e-6;
      const algbw = 4 * Number(row["elements"]) / seconds / 1e9;
      assert(Math.abs(algbw / Number(row["algbw_gbytes_per_s"]) - 1) < 1e-3, about);
      assertEquals(row["busbw_gbytes_per_s"] === "", row["transport"] === "same_device", about);
      if (row["algorithm"] === "auto") assert(row["chosen_algorithm"] !== "", about);
    }
    const ring = ok.find((r) =>
      r["algorithm"] === "ring" && r["logical_ranks"] === "3" && r["transport"] === "workers"
    );
    assertEquals(ring!["steps"], "4");
    assertEquals(Number(ring!["busbw_gbytes_per_s"]) > Number(ring!["algbw_gbytes_per_s"]), true);
    const links = parse(await Deno.readTextFile(`${out}/links.csv`), { skipFirstRow: true });
    assertEquals(links.map((l) => `${l["transport"]} ${l["memory"]} ${l["ranks"]}`).sort(), [
      "workers device 2",
      "workers device 3",
      "workers host 2",
      "workers host 3",
    ]);
    for (const link of links) {
      assert(Number(link["bandwidth_gbytes_per_s"]) > 0, JSON.stringify(link));
    }
  }));

Deno.test("sizes on the command line replace those of the configuration, in vLLM's spelling too", () =>
  inConfigFolder(async (_, config) => {
    for (const size of [["-tp", "2"], ["--tp=2"], ["--tensor-parallel-size", "2"]]) {
      const { stdout, stderr } = await inProcess([
        "run",
        "--config",
        config,
        "--dry-run",
        "--only",
        "kernels,schedules",
        ...size,
      ]);
      const lines = stdout.trim().split("\n");
      assertEquals([lines.length, lines.every((line) => line.includes("tp=2"))], [9, true], stderr);
    }
  }));

Deno.test("--force moves what the folder holds aside; cold and hot rows stand side by side", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/out`;
    await Deno.mkdir(out);
    await Deno.writeTextFile(`${out}/mine.txt`, "mine");
    const args = [
      "run",
      "--config",
      config,
      "--out",
      out,
      "--filter",
      "^embedding .* tp=1 tokens=1 ",
    ];
    const modes = ["--set", 'measure.modes=["hot","cold"]'];
    assertEquals((await shardbench([...args, ...modes])).status, 2);
    const { status, stderr } = await shardbench([...args, ...modes, "--force"]);
    assertEquals(status, 0, stderr);
    const { rows } = readRows(`${out}/kernels.csv`);
    assertEquals(rows.map((row) => [row["mode"], row["status"]]).sort(), [
      ["cold", "ok"],
      ["hot", "ok"],
    ]);
    const aside = [...Deno.readDirSync(folder)].find(({ name }) => name.startsWith("out."));
    assertEquals(await Deno.readTextFile(`${folder}/${aside?.name}/mine.txt`), "mine");
  }));

Deno.test("bad input ends with status 2 and one message that names the path", () =>
  inConfigFolder(async (folder, config) => {
    const cases: [readonly string[], RegExp][] = [
      [["run", "--config", `${folder}/missing.json`], /missing\.json/],
      [["run", "--config", config, "--set", "kernels.tokens=[0]"], /kernels\.tokens/],
      [
        ["run", "--config", config, "--set", "kernels.tensor_parallel_sizes=[3]"],
        /kernels\.tensor_parallel_sizes/,
      ],
      [["run", "--config", config, "--set", "kernels.opps=[]"], /kernels\.opps/],
      [["run", "--config", config, "--filter", "("], /--filter/],
      [["run", "--config", config, "--only", "nothing"], /legal/],
      [["run", "--config", config, "--force"], /--out/],
      [["run", "--config", config, "--resume", folder, "--out", folder], /--resume/],
      [["run"], /--config/],
      [["run", "--config", config, "--bogus"], /--bogus/],
      [["run", "--config", config, "--out", `${config}/inside`], /inside|file/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await inProcess(args);
      assertEquals(status, 2, `${args.join(" ")}: ${stderr}`);
      assertMatch(stderr, message);
      assertEquals(stdout, "");
      assert(!stderr.includes("    at "), stderr);
    }
  }));

Deno.test("no adapter is status 6 and a sentence that says what to install", () =>
  inConfigFolder(async (folder, config) => {
    const { status, stderr } = await shardbench(
      ["run", "--config", config, "--out", `${folder}/out`],
      { env: { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "/nonexistent" } },
    );
    assertEquals(status, 6);
    assertStringIncludes(stderr, "mesa-vulkan-drivers");
  }));

Deno.test("doctor reports every planted fault as caught", async () => {
  const { status, stdout, stderr } = await shardbench(["doctor", "--json"]);
  assertEquals(status, 0, stderr);
  const { planted_faults } = JSON.parse(stdout);
  assertEquals(Object.keys(planted_faults).length, 16);
  assertEquals([...new Set(Object.values(planted_faults))], ["caught"]);
});
