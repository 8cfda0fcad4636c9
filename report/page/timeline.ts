import { colour, colourMark, legend, styleColour } from "./colours.ts";
import type { PageTimeline } from "./data.ts";
import { button, h, hint, note, penOn, redrawn, wideFigure } from "./dom.ts";

const ROW_PX = 26;
const LEFT_PX = 150;
const TOP_PX = 22;
/** Wide enough for paper, where a hidden view is drawn to be printed. */
const PRINTED_PX = 700;

/** A case's timeline: a row a rank, zoomed with wheel, keys or buttons, moved by dragging. */
export function timeline({ label, kinds, rows, sends, left }: PageTimeline): HTMLElement {
  const end = Math.max(1, ...rows.flatMap(({ spans }) => spans.map(([at, us]) => at + us)));
  let [from, to] = [0, end];
  const canvas = h("canvas", {
    tabindex: 0,
    role: "img",
    "aria-label": `timeline of ${label}: plus and minus zoom, arrows move`,
  });
  const height = TOP_PX + ROW_PX * rows.length + 6;
  const draw = () => {
    const width = canvas.clientWidth || PRINTED_PX;
    const pen = penOn(canvas, { width, height });
    const [ink, line] = [styleColour("--ink"), styleColour("--line")];
    pen.font = "11px system-ui, sans-serif";
    const x = (us: number) => LEFT_PX + (us - from) / (to - from) * (width - LEFT_PX);
    pen.fillStyle = ink;
    for (let i = 0; i <= 4; i++) {
      const us = from + (to - from) * i / 4;
      pen.textAlign = i === 4 ? "right" : i === 0 ? "left" : "center";
      pen.fillText(`${(us / 1000).toFixed(2)} ms`, x(us), 12);
    }
    pen.textAlign = "left";
    for (const [place, { name, spans }] of rows.entries()) {
      const y = TOP_PX + place * ROW_PX;
      pen.fillStyle = line;
      pen.fillRect(LEFT_PX, y + ROW_PX - 1, width - LEFT_PX, 1);
      pen.save();
      pen.beginPath();
      pen.rect(LEFT_PX, y, width - LEFT_PX, ROW_PX);
      pen.clip();
      for (const [at, us, kind, batch] of spans) {
        if (at + us < from || at > to) continue;
        const [a, b] = [x(at), Math.max(x(at + us), x(at) + 0.5)];
        pen.fillStyle = colour(kind);
        const isWide = kinds[kind] === "compute";
        pen.fillRect(a, y + (isWide ? 2 : 6), b - a, isWide ? ROW_PX - 5 : ROW_PX - 13);
        if (isWide && b - a > 22) {
          pen.fillStyle = "#fff";
          pen.fillText(String(batch), a + 4, y + 16);
        }
      }
      pen.restore();
      pen.fillStyle = ink;
      pen.fillText(name.length > 26 ? `${name.slice(0, 25)}…` : name, 2, y + 16);
    }
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.35;
    for (const [at, fromRow, us, toRow] of sends) {
      if (us < from || at > to) continue;
      pen.beginPath();
      pen.moveTo(x(at), TOP_PX + fromRow * ROW_PX + ROW_PX - 4);
      pen.lineTo(x(us), TOP_PX + toRow * ROW_PX + 4);
      pen.stroke();
    }
  };
  const show = (start: number, span: number) => {
    from = Math.min(Math.max(0, start), end - span);
    to = from + span;
    draw();
  };
  const zoom = (factor: number, center = (from + to) / 2) => {
    const span = Math.min(end, Math.max(end / 1e5, (to - from) * factor));
    show(center - span * (center - from) / (to - from), span);
  };
  const move = (share: number) => show(from + (to - from) * share, to - from);
  const timeAt = (event: MouseEvent) =>
    from + (event.offsetX - LEFT_PX) / (canvas.clientWidth - LEFT_PX) * (to - from);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
  }, { passive: false });
  canvas.addEventListener("keydown", ({ key }) => {
    if (key === "+" || key === "=") zoom(0.7);
    else if (key === "-") zoom(1.4);
    else if (key === "ArrowLeft") move(-0.2);
    else if (key === "ArrowRight") move(0.2);
  });
  canvas.addEventListener("mousemove", (event) => {
    if (event.buttons === 1) return move(-event.movementX / (canvas.clientWidth - LEFT_PX));
    const row = rows[Math.floor((event.offsetY - TOP_PX) / ROW_PX)];
    const us = timeAt(event);
    const span = row?.spans.find(([at, duration]) => at <= us && us <= at + duration);
    hint(
      row && span
        ? [
          row.name,
          `${kinds[span[2]]}, batch ${span[3]}`,
          `${(span[1] / 1000).toFixed(3)} ms`,
        ]
        : [],
      { x: event.clientX, y: event.clientY },
    );
  });
  canvas.addEventListener("mouseleave", () => hint([]));
  canvas.style.height = `${height}px`;
  new ResizeObserver(draw).observe(canvas);
  redrawn(canvas, draw);
  const seen = new Set(rows.flatMap(({ spans }) => spans.map((span) => span[2])));
  return wideFigure(
    label,
    h(
      "div",
      { class: "bar" },
      button("zoom in", () => zoom(0.6)),
      button("zoom out", () => zoom(1 / 0.6)),
      button("left", () => move(-0.3)),
      button("right", () => move(0.3)),
      button("all", () => show(0, end)),
    ),
    canvas,
    legend(kinds.flatMap((name, i) => seen.has(i) ? [{ mark: colourMark("■", i), name }] : [])),
    note(
      "Host clock of each rank; the last repetition of the case; numbers are batches, lines are sends." +
        (left > 0 ? ` ${left} later spans are in timeline.json only.` : ""),
    ),
  );
}
