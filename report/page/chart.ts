import uPlot from "uplot";
import { colour, colourMark, COLOURS, legend, styleColour } from "./colours.ts";
import { num, type Row } from "./data.ts";
import { h, hint, note, redrawn } from "./dom.ts";

/** A point, and the row that it stands for. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly row?: Row;
}

/** Points of one name: joined by a line, alone, or a line without points. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  readonly how: "both" | "points" | "line";
}

/** What a chart shows; every axis says its unit. */
export interface Plot {
  readonly title: string;
  /** Clock and number of samples, or whatever explains the numbers. */
  readonly note: string;
  readonly x: string;
  readonly y: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly series: readonly Series[];
  /** What hovering says of a point's row. */
  readonly describe: (row: Row) => readonly string[];
}

const DASHES = [
  { dash: [], mark: "━━" },
  { dash: [8, 4], mark: "╍╍" },
  { dash: [2, 3], mark: "┅┅" },
  { dash: [10, 3, 2, 3], mark: "━╍" },
  { dash: [5, 5], mark: "╌╌" },
  { dash: [1, 4], mark: "┈┈" },
  { dash: [12, 2], mark: "━ " },
];
const NEAR_PX = 28;
const LOGARITHMIC = { distr: 3 } as const;

/** A chart in a figure; points can be hovered, and clicked: then their row is picked. */
export function chart(
  { series, ...options }: Plot,
  onPick: (row: Row) => void,
): HTMLElement {
  const figure = h("figure", { class: "chart" }, h("figcaption", options.title));
  const shown = series.filter(({ points }) => points.length > 0);
  if (shown.length === 0) {
    figure.append(h("p", { class: "quiet" }, "Nothing to show."));
    return figure;
  }
  const box = h("div", {
    class: "plot",
    role: "img",
    "aria-label": `${options.title}: ${options.note}`,
  });
  const entries = shown.map(({ name }, i) => ({ mark: colourMark(dashOf(i).mark, i), name }));
  figure.append(box, legend(entries), note(options.note));
  const xs = [...new Set(shown.flatMap(({ points }) => points.map(({ x }) => x)))]
    .sort((a, b) => a - b);
  const byX = shown.map(({ points }) => new Map(points.map((point) => [point.x, point])));
  const data: uPlot.AlignedData = [
    xs,
    ...byX.map((map) => xs.map((x) => map.get(x)?.y ?? null)),
  ];
  const near = (plot: uPlot): Point | undefined => {
    const [left, top] = [plot.cursor.left!, plot.cursor.top!];
    let best: { point: Point; px: number } | undefined;
    for (const point of shown.flatMap(({ points }) => points)) {
      if (!point.row) continue;
      const px = Math.hypot(
        plot.valToPos(point.x, "x") - left,
        plot.valToPos(point.y, "y") - top,
      );
      if (px < NEAR_PX && (!best || px < best.px)) best = { point, px };
    }
    return best?.point;
  };
  const draw = () => {
    const stroke = styleColour("--ink");
    const grid = { stroke: styleColour("--line"), width: 1 };
    const axis = (label: string) => ({ label, stroke, grid, ticks: grid, labelSize: 22 });
    box.replaceChildren();
    const width = Math.max(280, box.clientWidth || 640);
    const plot = new uPlot(
      {
        width,
        height: Math.min(340, Math.max(220, width * 0.55)),
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, ...(options.logX ? LOGARITHMIC : {}) },
          y: options.logY ? LOGARITHMIC : { range: (_, _low, high) => [0, high * 1.08] },
        },
        axes: [axis(options.x), { ...axis(options.y), size: 64 }],
        series: [
          {},
          ...shown.map(({ name, how }, i) => ({
            label: name,
            stroke: colour(i),
            width: 1.6,
            dash: dashOf(i).dash,
            spanGaps: true,
            points: { show: how !== "line", size: 7, fill: colour(i) },
            ...(how === "points" ? { paths: () => null } : {}),
          })),
        ],
      },
      data,
      box,
    );
    plot.over.addEventListener("mousemove", (event) => {
      const row = near(plot)?.row;
      hint(row ? options.describe(row) : [], { x: event.clientX, y: event.clientY });
    });
    plot.over.addEventListener("mouseleave", () => hint([]));
    plot.over.addEventListener("click", () => {
      const row = near(plot)?.row;
      if (row) onPick(row);
    });
  };
  redrawn(box, draw);
  // A chart is drawn when it can be seen: only then has it a width.
  new ResizeObserver((entries) => {
    const width = entries[0]!.contentRect.width;
    if (width > 0 && !(Math.abs(width - Number(box.dataset["width"])) <= 2)) {
      box.dataset["width"] = String(width);
      draw();
    }
  }).observe(box);
  return figure;
}

/** The dash of the i-th series: the second seven differ from the first ones in dashes. */
function dashOf(i: number) {
  return DASHES[(i + Math.floor(i / COLOURS.length)) % DASHES.length]!;
}

/** A series a name, of rows whose point can be drawn on any axis, from left to right. */
export function seriesBy(
  rows: readonly Row[],
  name: (row: Row) => string,
  point: (row: Row) => Point,
): readonly Series[] {
  return [...Map.groupBy(rows, name)].map(([name, members]) => ({
    name,
    how: "both",
    points: members.map(point)
      .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && x > 0 && y > 0)
      .sort((a, b) => a.x - b.x),
  }));
}

/** The point of a row that two of its columns give. */
export function columnPoint(x: string, y: string): (row: Row) => Point {
  return (row) => ({ x: num(row, x), y: num(row, y), row });
}
