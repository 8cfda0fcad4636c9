/** Builds elements; texts are texts, never markup. */

type Child = Node | string | undefined | false;
type Children = readonly (Child | readonly Child[])[];
type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void)>>;

/** An element with children; attributes (`on...` are listeners) stand before them, where there are any. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  ...[first, ...others]: Children | readonly [Attributes, ...Children]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const isChild = typeof first !== "object" || first instanceof Node || Array.isArray(first);
  for (const [name, value] of Object.entries(isChild ? {} : first)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  for (const child of [isChild && first, ...others].flat()) {
    if (child) element.append(child);
  }
  return element;
}

/** A figure as wide as the page. */
export function wideFigure(caption: string, ...children: Children): HTMLElement {
  return h("figure", { class: "chart wide" }, h("figcaption", caption), ...children);
}

/** What explains a figure. */
export function note(text: string): HTMLElement {
  return h("p", { class: "note" }, text);
}

/** A button that does something. */
export function button(text: string, act: () => void): HTMLElement {
  return h("button", { type: "button", onclick: act }, text);
}

/** A table of rows: a heading, and the cells behind it. */
export function headedTable(rows: readonly (readonly [string, ...HTMLElement[]])[]): HTMLElement {
  const lines = rows.map(([heading, ...cells]) =>
    h("tr", h("th", { scope: "row" }, heading), cells)
  );
  return h("table", h("tbody", lines));
}

/** Attributes of an element that is chosen by a click, or by Enter. */
export function choosable(choose: () => void): Attributes {
  return {
    tabindex: 0,
    onclick: choose,
    onkeydown: (event) => (event as KeyboardEvent).key === "Enter" && choose(),
  };
}

/** The pen of a canvas of a size in CSS pixels, as sharp as the screen is. */
export function penOn(
  canvas: HTMLCanvasElement,
  { width, height }: { readonly width: number; readonly height: number },
): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d")!;
  pen.scale(ratio, ratio);
  return pen;
}

let tip: HTMLElement | undefined;

/** Shows lines beside the pointer; none hides them. */
export function hint(
  lines: readonly string[],
  at?: { readonly x: number; readonly y: number },
): void {
  tip ??= document.body.appendChild(h("div", { class: "tip", role: "status" }));
  tip.replaceChildren(...lines.map((line) => h("div", line)));
  tip.hidden = lines.length === 0;
  if (!at) return;
  const left = Math.min(at.x + 14, innerWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.min(at.y + 14, innerHeight - tip.offsetHeight - 8)}px`;
}

const drawings = new Map<Element, () => void>();

/** Has an element drawn again when the page is about to be printed, or changes its colours. */
export function redrawn(element: Element, draw: () => void): void {
  drawings.set(element, draw);
}

/** Draws everything that is still on the page. */
export function redraw(): void {
  for (const [element, draw] of drawings) {
    if (element.isConnected) draw();
    else drawings.delete(element);
  }
}
