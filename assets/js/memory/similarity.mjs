// The chart of the nearest episode's similarity: its line, the threshold, what was stored and recalled.

export const WINDOW_S = 60;
const COLORS = { recalled: "#CC79A7", stored: "#009E73", asked: "#E69F00", put: "#56B4E9" };
const WORDS = { recalled: ({ object }) => object, stored: ({ object }) => `stored: ${object}`, asked: ({ object }) => `asked: ${object}`, put: () => "put" };

/** What the chart is given: x in simulated seconds. */
export function similarityData(page) {
  const { store, constants } = page, seconds = constants.dt_ms / 1000;
  const y = store.column("nearest", 0) ?? new Float32Array(0);
  const x = Float64Array.from(store.x, (step) => (step + 1) * seconds);
  const threshold = page.value("recall.threshold");
  const marks = store.events.filter(({ type }) => type in COLORS).map((event) => ({ x: event.step * seconds, text: WORDS[event.type](event), color: COLORS[event.type], dash: event.type === "recalled" ? [] : [3, 3] }));
  return {
    series: [{ name: "nearest episode", x, y, color: ["#0072B2", "#56B4E9"], width: 1.4 }],
    guides: threshold === undefined ? [] : [{ y: threshold, text: `threshold ${threshold}` }],
    marks,
    note: store.n && Number.isNaN(y[store.n - 1]) ? "Nothing is stored yet" : "",
  };
}
