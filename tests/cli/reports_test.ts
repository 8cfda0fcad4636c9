import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRows } from "../../records/files/csv_rows.ts";
import { readRunFiles } from "../../records/run_folder/run_files.ts";
import { verifyRun } from "../../report/verify_run.ts";
import { inProcess } from "./in_process.ts";
import { CONFIG, inConfigFolder, shardbench } from "./shardbench.ts";

const SMALL = {
  ...CONFIG,
  kernels: {
    ...CONFIG.kernels,
    ops: ["ffn", "add"],
    tokens: [1],
    tensor_parallel_sizes: [1],
    variants: "all",
  },
  collectives: {
    ...CONFIG.collectives,
    ops: ["all_reduce"],
    ranks: [2],
    sizes: "64B:1KiB:*16",
    algorithms: ["ring", "auto"],
    transports: ["workers"],
  },
  schedules: {
    ...CONFIG.schedules,
    layouts: [{ tensor_parallel_size: 2 }],
    schedules: ["step", "step_with_batch_queue"],
  },
};

Deno.test("verify names what is changed, signed runs are trusted; replay reproduces; formats print", () =>
  inConfigFolder(async (folder, config) => {
    const run = `${folder}/run`;
    const made = await shardbench(["run", "--config", config, "--out", run, "--format", "md"]);
    assertEquals(made.status, 0, made.stderr);
    assertMatch(made.stdout, /^\*\*\d+ rows: \d+ ok, 0 wrong, 0 failed, 0 skipped\*\*\n/);
    assertMatch(made.stdout, /\| op \| variant \| mode \| tp \|/);
    assertMatch(await Deno.readTextFile(`${run}/report.html`), /Content-Security-Policy/);

    const sound = await shardbench(["verify", run]);
    assertEquals(sound.status, 0, sound.stdout);
    assertMatch(
      sound.stdout,
      /^\d+ rows: \d+ cells recomputed, \d+ only hashed; \d+ files hashed; 0 contradictions\n$/,
    );

    const rows = await Deno.readTextFile(`${run}/kernels.csv`);
    await Deno.writeTextFile(`${run}/kernels.csv`, rows.replace(",kernels,ok,", ",kernels,wrong,"));
    const tampered = await shardbench(["verify", run]);
    assertEquals(tampered.status, 5);
    assertMatch(
      tampered.stdout,
      /run\/kernels\.csv row \d+ \(k[0-9a-f]+\) status: found wrong; expected ok/,
    );
    assertMatch(tampered.stdout, /run\/kernels\.csv hash: found [0-9a-f]{64}; expected/);
    await Deno.writeTextFile(`${run}/kernels.csv`, rows);

    const key = `${folder}/key`;
    const pair = await shardbench(["sign", "--new-key", key]);
    assertEquals([pair.status, pair.stdout], [0, `${key}\n${key}.pub\n`]);
    assertStringIncludes(
      (await shardbench(["verify", run, "--key", `${key}.pub`])).stderr,
      "it has no signature.json",
    );
    const signed = await shardbench(["sign", run, "--key", key]);
    assertEquals(signed.status, 0, signed.stderr);
    assertEquals((await shardbench(["verify", run, "--key", `${key}.pub`])).status, 0);

    const again = await shardbench([
      "replay",
      run,
      "--out",
      `${folder}/again`,
      "--tolerance",
      "1000000",
    ]);
    assertEquals(again.status, 0, again.stdout + again.stderr);
    const count = readRows(`${run}/kernels.csv`).rows.length +
      readRows(`${run}/collectives.csv`).rows.length + readRows(`${run}/schedules.csv`).rows.length;
    assertStringIncludes(again.stdout, `${count} of ${count} rows reproduced`);
    const manifest = JSON.parse(await Deno.readTextFile(`${run}/manifest.json`));
    manifest.shaders[Object.keys(manifest.shaders)[0]!] = "0000";
    manifest.environment.cpu_model = "another";
    await Deno.writeTextFile(`${run}/manifest.json`, JSON.stringify(manifest));
    const elsewhere = await shardbench(["replay", run]);
    assertEquals(elsewhere.status, 5, elsewhere.stderr);
    assertMatch(elsewhere.stdout, /different machine: cpu_model was another/);
    assertMatch(elsewhere.stdout, /shader .*: 0000, now/);

    const refused = await shardbench(["compare", run, `${folder}/again`]);
    assertEquals([refused.status, refused.stdout], [5, ""]);
    assertStringIncludes(refused.stderr, 'cpu_model "another" against');
    const allow = ["--allow", "cpu,incomplete"];
    const compared = await shardbench(["compare", run, `${folder}/again`, "--json", ...allow]);
    assert([0, 4].includes(compared.status), compared.stderr);
    const { rows: verdicts, missing, added } = JSON.parse(compared.stdout);
    assertEquals([verdicts.length, missing, added], [count, [], []]);
    const one = await shardbench([
      "compare",
      `${run}/kernels.csv`,
      `${folder}/again/kernels.csv`,
      "--format",
      "md",
      ...allow,
    ]);
    assertMatch(one.stdout, /^\*\*\d+ rows: /);
    await Deno.remove(`${folder}/again/samples.jsonl`);
    const bare = await shardbench([
      "compare",
      `${run}/kernels.csv`,
      `${folder}/again/kernels.csv`,
      ...allow,
    ]);
    assertStringIncludes(bare.stdout, "verdicts rest on the files' intervals alone");

    const formats = ["run", "--config", config, "--only", "kernels", "--filter", "^add"];
    const json = await shardbench([...formats, "--out", `${folder}/json`, "--format", "json"]);
    assertEquals(
      JSON.parse(json.stdout).kernels.every(({ status }: { status: string }) => status === "ok"),
      true,
    );
    const csv = await shardbench([...formats, "--out", `${folder}/csv`, "--format", "csv"]);
    assertEquals(csv.stdout.trim(), (await Deno.readTextFile(`${folder}/csv/kernels.csv`)).trim());
  }, SMALL));

Deno.test("reports refuse bad input with one message and their status", () =>
  inConfigFolder(async (folder, config) => {
    const reference = new URL("../../results/reference", import.meta.url).pathname;
    for (
      const [args, status, message] of [
        [["compare", folder, folder], 2, "it has none of kernels.csv"],
        [["compare", "/nonexistent", folder], 2, "it is not there"],
        [["compare", folder], 2, "missing required argument"],
        [["compare", folder, folder, "--threshold", "0"], 2, "above 0, below 100"],
        [
          ["compare", folder, folder, "--allow", "disk"],
          2,
          "adapter, dtype, schema, cpu, cores, deno, incomplete",
        ],
        [["compare", folder, "--baseline", "naive"], 2, "value of --by"],
        [["compare", reference, "--by", "colour"], 2, "legal are depth, layout, schedule, "],
        [["compare", reference, "--by", "schedule", "--baseline", "x"], 2, "legal are step"],
        [["compare", reference, reference, "--filter", "^conv"], 2, "there are none"],
        [["compare", `${reference},${reference}`, "--by", "schedule"], 2, "it is 2 runs"],
        [["run", "--config", config, "--repeat", "0"], 2, "1 and more"],
        [["selftest", "--repeat", "3"], 2, "4 and more"],
        [["compare", folder, folder, "--format", "xml"], 2, "text, md, json, csv"],
        [["verify", folder], 2, "manifest.json"],
        [["verify", config], 2, "manifest.json"],
        [["replay", folder], 2, "it has none of kernels.csv"],
        [["replay", folder, "--tolerance", "-1"], 2, "0 and more"],
        [["selftest", "--threshold", "200"], 2, "above 0, below 100"],
        [["run", "--config", config, "--format", "xml"], 2, "terminal, md, json, csv"],
      ] as const
    ) {
      const result = await inProcess(args);
      assertEquals(result.status, status, result.stderr);
      assertStringIncludes(result.stderr, message);
      assertEquals(result.stderr.trim().split("\n").length, 1, result.stderr);
    }
  }));

Deno.test("compare writes every format to a new file, of several runs and of one by a column", () =>
  inConfigFolder(async (folder) => {
    const run = new URL("../../results/reference", import.meta.url).pathname;
    const formats = ["text", "md", "json", "csv"];
    const lines = await Promise.all(formats.map(async (format) => {
      const out = `${folder}/compared.${format}`;
      const sides = [`${run},${run}`, run, "--format", format, "--out", out];
      const { status, stdout, stderr } = await inProcess(["compare", ...sides]);
      assertEquals(status, 0, stderr);
      assertEquals(stdout.trim().split("\n").at(-1), out);
      return (await Deno.readTextFile(out)).split("\n")[0];
    }));
    assertMatch(lines[0]!, /^\d+ rows: 0 slower/);
    assertMatch(lines[1]!, /^\*\*\d+ rows/);
    assertEquals(lines[2], "{");
    assertMatch(lines[3]!, /^verdict,suite,row_key,label,/);
    const again = await inProcess(["compare", run, run, "--out", `${folder}/compared.csv`]);
    assertEquals(again.status, 2);
    assertStringIncludes(again.stderr, "it exists already");
    const by = await inProcess(["compare", run, "--by", "schedule", "--json"]);
    const { rows } = JSON.parse(by.stdout);
    assert(
      rows.length > 0 && rows.every((row: { label: string }) => /against step/.test(row.label)),
    );
  }));

Deno.test("replay reads no file outside of the run that its manifest names, unless told", () =>
  inConfigFolder(async (folder) => {
    const run = `${folder}/foreign`;
    const reference = new URL("../../results/reference/", import.meta.url).pathname;
    await Deno.mkdir(run);
    for (const { name } of Deno.readDirSync(reference)) {
      await Deno.copyFile(`${reference}${name}`, `${run}/${name}`);
    }
    const manifest = JSON.parse(await Deno.readTextFile(`${run}/manifest.json`));
    const { configuration } = manifest;
    await Deno.writeTextFile(`${folder}/secret`, "secret");
    await Deno.symlink(`${folder}/secret`, `${run}/trace.jsonl`);
    configuration.model = new URL("../../models/mistral_7b.json", import.meta.url).pathname;
    for (
      const [trace, model, named] of [
        ["/etc/hostname", configuration.model, 'trace "/etc/hostname"'],
        ["trace.jsonl", configuration.model, 'trace "trace.jsonl"'],
        ["../secret", configuration.model, 'trace "../secret"'],
        [undefined, "../config.json", 'model "../config.json"'],
      ] as const
    ) {
      const requests = { ...configuration.schedules.requests, trace };
      const schedules = { ...configuration.schedules, requests };
      const json = { ...manifest, configuration: { ...configuration, model, schedules } };
      await Deno.writeTextFile(`${run}/manifest.json`, JSON.stringify(json));
      const { status, stderr } = await inProcess(["replay", run]);
      assertEquals(status, 2, stderr);
      assertStringIncludes(stderr, named);
      assertStringIncludes(stderr, "--allow-paths");
      assert(!stderr.includes("secret,"), stderr);
    }
    const told = await inProcess(["replay", run, "--allow-paths"]);
    assertStringIncludes(told.stderr, "found architectures nothing"); // read, and it is no model
  }));

Deno.test("the committed reference run is sound", () => {
  const run = new URL("../../results/reference", import.meta.url).pathname;
  const { rows, recomputed, contradictions } = verifyRun(readRunFiles(run));
  assertEquals(contradictions, []);
  assert(rows > 20 && recomputed > 200);
});
