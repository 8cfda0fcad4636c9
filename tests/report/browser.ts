/** A headless Chromium, driven by its debugging protocol. */

/** The browser's program, where it is installed. */
export const CHROMIUM = ["/usr/bin/chromium"]
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

/** What went wrong on a page, and what it asked for. */
export interface PageLog {
  readonly problems: string[];
  /** Addresses other than the page's own. */
  readonly requests: string[];
}

/** A browser with one page. */
export class Browser implements AsyncDisposable {
  readonly log: PageLog = { problems: [], requests: [] };
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #pending = new Map<number, (answer: Record<string, unknown>) => void>();
  readonly #events = new Map<string, (() => void)[]>();
  #session: string | undefined;
  #next = 1;
  #own = "";

  private constructor(process: Deno.ChildProcess, socket: WebSocket, profile: string) {
    this.#process = process;
    this.#socket = socket;
    this.#profile = profile;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Starts Chromium; nothing of the user's is touched. */
  static async open(): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "shardbench-browser-" });
    const process = new Deno.Command(CHROMIUM!, {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
        "--hide-scrollbars",
        `--user-data-dir=${profile}`,
        "--remote-debugging-port=0",
        "about:blank",
      ],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const address = await debuggingAddress(process.stderr);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("no debugging connection"));
    });
    const browser = new Browser(process, socket, profile);
    const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) {
      await browser.send(`${domain}.enable`);
    }
    return browser;
  }

  /** Asks the browser; an answer with an error throws. */
  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const answer = new Promise<Record<string, unknown>>((resolve) =>
      this.#pending.set(id, resolve)
    );
    const sessionId = this.#session;
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Record<string, unknown>;
  }

  /** Opens a file and waits until it has loaded. */
  async load(path: string): Promise<void> {
    this.#own = `file://${path}`;
    this.log.problems.length = this.log.requests.length = 0;
    const loaded = new Promise<void>((resolve) =>
      this.#events.set("Page.loadEventFired", [resolve])
    );
    await this.send("Page.navigate", { url: this.#own });
    await loaded;
  }

  /** The value of an expression on the page. */
  async run(expression: string): Promise<unknown> {
    const answer = await this.send("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (answer["exceptionDetails"]) {
      throw new Error(`${expression}: ${JSON.stringify(answer["exceptionDetails"])}`);
    }
    return (answer["result"] as { value: unknown }).value;
  }

  /** Waits until the page has drawn twice. */
  async drawn(): Promise<void> {
    await this.run(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.send("Browser.close").catch(() => {});
    this.#socket.close();
    await this.#process.status;
    await this.#process.stderr.cancel().catch(() => {});
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }

  #take(message: Record<string, unknown>): void {
    const id = message["id"] as number | undefined;
    if (id !== undefined) {
      this.#pending.get(id)?.(message);
      this.#pending.delete(id);
      return;
    }
    const method = String(message["method"]);
    const params = Object(message["params"]);
    this.#events.get(method)?.forEach((resolve) => resolve());
    if (method === "Runtime.exceptionThrown") {
      this.log.problems.push(JSON.stringify(params.exceptionDetails));
    }
    if (method === "Log.entryAdded" && params.entry.level !== "info") {
      this.log.problems.push(params.entry.text);
    }
    if (method === "Runtime.consoleAPICalled" && params.type !== "log") {
      this.log.problems.push(JSON.stringify(params.args));
    }
    if (method === "Network.requestWillBeSent" && params.request.url !== this.#own) {
      this.log.requests.push(params.request.url);
    }
  }
}

/** Chromium says on stderr where it listens. */
async function debuggingAddress(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stderr.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium did not start: ${text}`);
    text += decoder.decode(value, { stream: true });
    const [, address] = /DevTools listening on (ws:\S+)/.exec(text) ?? [];
    if (address === undefined) continue;
    // What it says later must not fill the pipe.
    (async () => {
      while (!(await reader.read()).done);
    })().catch(() => {});
    return address;
  }
}
