/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** A document without a browser: elements remember what was done to them. Import it before the page's modules. */

type Listener = (event: Record<string, unknown>) => void;

/** What a browser would lay out: the width of elements that are made from now on. */
export const layout = { width: 0 };

/** Anything that stands in a document. */
export class FakeNode {}

/** An element; sizes are set by tests, since nothing lays out. */
export class FakeElement extends FakeNode {
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, Listener[]>();
  readonly style: Record<string, string> = {};
  readonly dataset: Record<string, string> = {};
  readonly classes = new Set<string>();
  /** What was drawn: calls and what was set. */
  readonly drawn: unknown[][] = [];
  children: (FakeElement | string)[] = [];
  parent: FakeElement | undefined;
  hidden = false;
  isOpen = false;
  tabIndex = -1;
  width = 0;
  height = 0;
  clientWidth = layout.width;
  offsetWidth = 0;
  offsetHeight = 0;
  #value: string | undefined;

  constructor(readonly tag: string) {
    super();
  }

  /** Of a select its first option, unless set. */
  get value(): string {
    return this.#value ?? (this.tag === "select" ? this.all("option")[0]?.textContent ?? "" : "");
  }
  set value(text: string) {
    this.#value = text;
  }
  get textContent(): string {
    return this.children.map((child) => typeof child === "string" ? child : child.textContent)
      .join("");
  }
  set textContent(text: string) {
    this.children = [text];
  }
  get isConnected(): boolean {
    return this === page.body || this.parent?.isConnected === true;
  }
  readonly classList = {
    add: (...names: string[]) => names.forEach((name) => this.classes.add(name)),
    remove: (...names: string[]) => names.forEach((name) => this.classes.delete(name)),
    toggle: (name: string, is: boolean) => is ? this.classes.add(name) : this.classes.delete(name),
    contains: (name: string) => this.classes.has(name),
  };

  append(...children: (FakeElement | string)[]): void {
    for (const child of children) {
      if (typeof child !== "string") child.parent = this;
      this.children.push(child);
    }
  }
  appendChild(child: FakeElement): FakeElement {
    this.append(child);
    return child;
  }
  insertBefore(child: FakeElement): FakeElement {
    return this.appendChild(child);
  }
  replaceChildren(...children: (FakeElement | string)[]): void {
    for (const child of this.children) if (typeof child !== "string") child.parent = undefined;
    this.children = [];
    this.append(...children);
  }
  remove(): void {
    this.parent?.children.splice(this.parent.children.indexOf(this), 1);
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, [...this.listeners.get(name) ?? [], listener]);
  }
  removeEventListener(): void {}
  getBoundingClientRect() {
    return { left: 0, top: 0, width: this.clientWidth, height: 0 };
  }
  showModal(): void {
    this.isOpen = true;
  }
  close(): void {
    this.isOpen = false;
  }
  focus(): void {
    page.activeElement = this;
  }

  /** A pen that writes down everything. */
  getContext() {
    return new Proxy({ canvas: this } as Record<string, unknown>, {
      get: (target, name: string) =>
        name in target ? target[name] : (...args: unknown[]) => {
          this.drawn.push([
            name,
            ...args.flatMap((arg) => arg instanceof FakePath ? arg.steps : [arg]),
          ]);
          return { width: 10 };
        },
      set: (target, name: string, value) => {
        this.drawn.push([`${name}=`, value]);
        target[name] = value;
        return true;
      },
    });
  }

  /** Tells listeners; fields that are not given are undefined. */
  fire(name: string, event: Record<string, unknown> = {}): void {
    for (const listener of this.listeners.get(name) ?? []) {
      listener({ type: name, target: this, preventDefault() {}, ...event });
    }
  }

  /** All elements of a tag below this one. */
  all(tag: string): FakeElement[] {
    return this.children.flatMap((child) =>
      typeof child === "string" ? [] : [...(child.tag === tag ? [child] : []), ...child.all(tag)]
    );
  }

  /** Presses the button of a text. */
  press(text: string): void {
    this.all("button").find((one) => one.textContent === text)!.fire("click");
  }

  /** The element as markup; classes and styles that were set later stand behind the attributes. */
  get html(): string {
    const classes = [...this.classes].filter((name) => name !== this.attributes.get("class"));
    const attributes = [
      ...this.attributes,
      ...(classes.length > 0 ? [["classes", classes.join(" ")]] : []),
      ...Object.entries(this.style),
    ].map(([name, value]) => ` ${name}=${value}`).join("");
    const inside = this.children.map((child) => typeof child === "string" ? child : child.html);
    return `<${this.tag}${attributes}>${inside.join("")}</${this.tag}>`;
  }
}

/** What a test sees of the document. */
export const page = {
  body: new FakeElement("body"),
  root: new FakeElement("html"),
  activeElement: undefined as FakeElement | undefined,
  /** The text of the element with the id `data`. */
  data: "",
  /** Listeners of the window and of the color scheme, by event. */
  window: new FakeElement("window"),
  scheme: new FakeElement("scheme"),
  /** What waits to be told its width. */
  observed: new Map<FakeElement, (width: number) => void>(),
};

/** Widths are told to what observes an element. */
class FakeResizeObserver {
  constructor(readonly tell: (entries: readonly { contentRect: { width: number } }[]) => void) {}
  observe(element: FakeElement): void {
    page.observed.set(element, (width) => this.tell([{ contentRect: { width } }]));
  }
}

/** A path remembers its ends and corners. */
class FakePath {
  readonly steps: unknown[][] = [];
  moveTo(...at: unknown[]) {
    this.steps.push(["moveTo", ...at]);
  }
  lineTo(...at: unknown[]) {
    this.steps.push(["lineTo", ...at]);
  }
  rect() {}
  arc(...at: unknown[]) {
    this.steps.push(["arc", ...at.slice(0, 3)]);
  }
}

Object.assign(globalThis, {
  Node: FakeNode,
  HTMLElement: FakeElement,
  Path2D: FakePath,
  ResizeObserver: FakeResizeObserver,
  devicePixelRatio: 2,
  innerWidth: 800,
  innerHeight: 600,
  window: globalThis,
  document: {
    body: page.body,
    documentElement: page.root,
    get activeElement() {
      return page.activeElement;
    },
    createElement: (tag: string) => new FakeElement(tag),
    getElementById: (id: string) => ({ textContent: id === "data" ? page.data : null }),
    addEventListener() {},
    removeEventListener() {},
  },
  getComputedStyle: (element: FakeElement) => ({
    getPropertyValue: (name: string) => element === page.root ? ` the page's ${name}` : "",
  }),
  matchMedia: (query: string) => query.startsWith("(prefers") ? page.scheme : new FakeElement(""),
  requestAnimationFrame: (draw: () => void) => draw(),
  addEventListener: (name: string, listener: Listener) =>
    page.window.addEventListener(name, listener),
});

/** An element that a module of the page made. */
export function fake(element: HTMLElement): FakeElement {
  return element as unknown as FakeElement;
}
