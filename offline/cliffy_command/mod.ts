// Stands in for jsr:@cliffy/command where JSR cannot be reached, over commander.
import { Command as Commander, CommanderError, Option } from "npm:commander@15.1.0";

/** Bad usage: what `parse` rejects with after `throwErrors`. */
export class ValidationError extends Error {
  /** The exit status that goes with it. */
  readonly exitCode: number;

  /** A message and an exit status, 2 unless given. */
  constructor(message: string, options: { readonly exitCode?: number } = {}) {
    super(message);
    this.exitCode = options.exitCode ?? 2;
  }
}

/** What an option may say of itself. */
export interface OptionSettings {
  readonly required?: boolean;
  readonly collect?: boolean;
  readonly default?: unknown;
  readonly hidden?: boolean;
}

type Action = (options: Record<string, unknown>, ...args: string[]) => unknown;

/** What `parse` resolves to. */
export interface ParseResult {
  readonly options: Record<string, unknown>;
  readonly args: readonly string[];
}

/** A command line: a chain of settings, ended by `parse`. */
export class Command {
  readonly #commander = new Commander();
  readonly #children: Command[] = [];
  #result: ParseResult = { options: {}, args: [] };

  /** An empty command. */
  constructor() {
    this.#commander.exitOverride().configureOutput({ writeErr: () => {} })
      .helpOption("-h, --help", "Show this help.").helpCommand(false)
      .allowExcessArguments(false);
  }

  /** Names the command. */
  name(name: string): this {
    this.#commander.name(name);
    return this;
  }

  /** Gives it a version, shown by -V and --version. */
  version(version: string): this {
    this.#commander.version(version, "-V, --version", "Show the version number for this program.");
    return this;
  }

  /** Says what it does. */
  description(text: string): this {
    this.#commander.description(text);
    return this;
  }

  /** Declares positional arguments, such as `<a:file> [...rest:string]`. */
  arguments(text: string): this {
    this.#commander.arguments(
      text.replaceAll(
        /([<[])(\.\.\.)?(\w+)(?::\w+)?([>\]])/g,
        (_, open, rest, name, close) => `${open}${name}${rest ?? ""}${close}`,
      ),
    );
    return this;
  }

  /** Declares an option, such as `"--tensor-parallel-size, --tp <n:integer>"`. */
  option(flags: string, description: string, settings: OptionSettings = {}): this {
    const type = /[<[]\w+:(\w+)/.exec(flags)?.[1] ?? "string";
    const words = flags.replace(/([<[]\w+):\w+/, "$1").split(/[ ,]+/);
    const value = words.find((word) => /^[<[]/.test(word)) ?? "";
    const names = words.filter((word) => word.startsWith("-"));
    const long = names.find((name) => name.startsWith("--")) ?? names[0]!;
    for (const name of names.filter((n) => n.startsWith("--") && n !== long)) {
      aliases.set(name, long);
    }
    const short = names.find((name) => /^-\w$/.test(name));
    const option = new Option(`${short ? `${short}, ` : ""}${long} ${value}`.trim(), description);
    if (settings.required) option.makeOptionMandatory();
    if (settings.default !== undefined) option.default(settings.default);
    if (settings.hidden) option.hideHelp();
    if (value) {
      option.argParser((text: string, previous: unknown) => {
        const one = convert(text, type, long);
        if (!settings.collect && previous !== settings.default) {
          throw new ValidationError(
            `Option "${long}" can only occur once, but was found several times.`,
          );
        }
        return settings.collect ? [...(Array.isArray(previous) ? previous : []), one] : one;
      });
    }
    this.#commander.addOption(option);
    return this;
  }

  /** Attaches a command built elsewhere. */
  command(name: string, command: Command): this {
    command.#commander.name(name);
    this.#commander.addCommand(command.#commander);
    this.#children.push(command);
    return this;
  }

  /** What runs, with the options and the arguments spread. */
  action(action: Action): this {
    this.#commander.action(() => this.#finish(action));
    return this;
  }

  /** Makes `parse` reject with ValidationError; it always does here. */
  throwErrors(): this {
    return this;
  }

  /** The text of the help. */
  getHelp(): string {
    return this.#commander.helpInformation();
  }

  /** Shows the help. */
  showHelp(): void {
    console.log(this.getHelp());
  }

  /** Parses arguments and runs the action; --help and --version exit with 0. */
  async parse(args: readonly string[] = Deno.args): Promise<ParseResult> {
    const known = args.map((arg) => {
      const [name = "", ...rest] = arg.split("=");
      return [aliases.get(name) ?? name, ...rest].join("=");
    });
    if (this.#children.length > 0 && known.length === 0) {
      this.showHelp();
      return this.#result;
    }
    try {
      await this.#commander.parseAsync(known, { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) Deno.exit(0);
      throw new ValidationError(reword(error.message));
    }
    return this.#result;
  }

  async #finish(action: Action): Promise<void> {
    const options: Record<string, unknown> = this.#commander.opts();
    const args = this.#commander.args;
    this.#result = { options, args };
    await action(options, ...args);
  }
}

/** Second long names: commander knows one a option. */
const aliases = new Map<string, string>();

function convert(text: string, type: string, name: string): unknown {
  if (type !== "integer" && type !== "number") return text;
  const number = Number(text);
  if (
    text.trim() !== "" && Number.isFinite(number) && (type === "number" || Number.isInteger(number))
  ) {
    return number;
  }
  throw new ValidationError(`Option "${name}" must be of type "${type}", but got "${text}".`);
}

/** commander's messages in the words of the real package. */
function reword(message: string): string {
  const text = message.replace(/^error: /, "").replaceAll("'", '"');
  const missing = /required option "(--[\w-]+).*" not specified/.exec(text);
  if (missing) return `Missing required option "${missing[1]}".`;
  const unknown = /unknown (option|command) "([^"]+)"/.exec(text);
  const hint = /Did you mean ([\w-]+)\?/.exec(text);
  if (unknown) {
    return `Unknown ${unknown[1]} "${unknown[2]}".` +
      (hint ? ` Did you mean ${unknown[1]} "${hint[1]}"?` : "");
  }
  const argument = /option "[^"]*(--[\w-]+)[^"]*" argument missing/.exec(text);
  return argument ? `Missing value for option "${argument[1]}".` : text;
}
