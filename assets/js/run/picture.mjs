// What a snapshot of a run page says around its panels.

const SHAPES = { live: "●", paused: "❚❚", replay: "◀", stale: "▲", down: "✕", waiting: "○" };
const SIGNS = { ok: "✓", waiting: "○", note: "○", warning: "▲", critical: "✕" };

/**
 * Gives `app` the words of its pictures: `title` is the page's, `moment()` says how far the run is,
 * `origin()` what exactly runs, `facts()` what more its manifest has, `told()` what stands under the title.
 */
export function pictureWords(app, { title, moment, origin = () => [], facts = () => ({}), told = () => [] }) {
  app.originTexts = origin;
  app.pictureFacts = () => ({ page: title, kind: app.config.kind, ...facts() });
  app.pictureTexts = (manifest) => {
    const { state, health } = manifest;
    const footer = [
      `t4dm ${manifest.version} (${manifest.commit})`, `config ${manifest.config_digest}`, `seed ${manifest.seed ?? "–"}`, ...origin(),
      moment(), manifest.utc.replace("T", " ").replace("Z", " UTC"), `session ${manifest.session}`, `snapshot ${manifest.id}`,
    ];
    return {
      title: `${title} · session ${manifest.session} · ${moment()}${state.reason ? ` · ${state.reason}` : ""}`,
      badge: { kind: state.kind, word: state.word, shape: SHAPES[state.kind] },
      health: health && { kind: health.kind, word: `${SIGNS[health.kind]} ${health.word}` },
      findings: health?.texts ?? [],
      strip: [manifest.changed.length ? `Changed (default): ${manifest.changed.join(" · ")}` : "Parameters: all defaults", ...told()].join(" · "),
      note: manifest.note.trim(),
      footer: footer.join(" · "),
    };
  };
}
