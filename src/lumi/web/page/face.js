// Lumi's face: one drawing for each of the protocol's 21 emotions, and a mouth that moves with the voice.

import { make, svg } from "./dom.js";

const DOTS = "M22 25v4M42 25v4";
const ARCS = "M17 29q5-7 10 0M37 29q5-7 10 0";
const SHUT = "M17 26q5 5 10 0M37 26q5 5 10 0";
const SMILE = "M21 40q11 11 22 0";
const GRIN = "M20 39h24q-2 13-12 13t-12-13z";

// lines are strokes; dark is filled; more: a tear, hearts, …
const FACES = {
  neutral: { lines: [DOTS, "M24 42q8 4 16 0"] },
  happy: { lines: [DOTS, SMILE] },
  laughing: { lines: [ARCS], dark: GRIN },
  funny: { lines: ["M18 23l8 4-8 4M46 23l-8 4 8 4"], dark: GRIN, more: ["tears"] },
  sad: { lines: [DOTS, "M16 20l8-3M48 20l-8-3", "M24 46q8-7 16 0"] },
  angry: { lines: [DOTS, "M15 17l10 5M49 17l-10 5", "M24 46q8-6 16 0"] },
  crying: { lines: [SHUT, "M24 47q8-7 16 0"], more: ["tears"] },
  loving: { lines: [SMILE], more: ["hearts"] },
  embarrassed: { lines: [DOTS, "M25 43q3.5 3 7 0t7 0"], more: ["blush"] },
  surprised: { lines: [DOTS, "M17 18q5-4 10 0M37 18q5-4 10 0"], dark: "M32 39a5 6 0 1 0 .1 0z" },
  shocked: { lines: ["M22 22a4 5 0 1 0 .1 0M42 22a4 5 0 1 0 .1 0"], dark: "M32 38a7 8 0 1 0 .1 0z" },
  thinking: { lines: ["M22 25v4M42 25v4", "M16 19q6-4 11-1M37 20h10", "M26 45q6-4 13-1"] },
  winking: { lines: ["M22 25v4M37 28q5-6 10 0", SMILE] },
  cool: { lines: ["M24 43q8 6 17-1", "M10 23h44"], dark: "M13 23h17q0 10-8.5 10t-8.5-10zM34 23h17q0 10-8.5 10t-8.5-10z" },
  relaxed: { lines: [SHUT, SMILE] },
  delicious: { lines: [ARCS, SMILE], more: ["tongue"] },
  kissy: { lines: [SHUT, "M30 38q6 1 1 4.5 5 3-1 5"], more: ["blush"] },
  confident: { lines: [DOTS, "M17 21h10M37 18q5-3 10 0", "M25 43q8 4 15-3"] },
  sleepy: { lines: [SHUT, "M28 44h8", "M50 6h8l-8 9h8"] },
  silly: { lines: ["M22 25v4M37 28q5-6 10 0", SMILE], more: ["tongue"] },
  confused: { lines: [DOTS, "M17 20h9M38 17l9 3", "M23 45q5-5 9-1t9-2"] },
};

export const EMOTIONS = Object.keys(FACES);

const MORE = {
  tears: () => [svg("path", { class: "tear", d: "M15 32q-7 9-1 12 7-1 1-12M49 32q7 9 1 12-7-1-1-12" })],
  hearts: () => [svg("path", {
    class: "heart",
    d: "M21 34l-6.5-7.5q-1-5.5 3.5-5.5 2 0 3 3 1-3 3-3 4.5 0 3.5 5.5zM43 34l-6.5-7.5q-1-5.5 3.5-5.5 2 0 3 3 1-3 3-3 4.5 0 3.5 5.5z",
  })],
  blush: () => [13, 51].map((x) => svg("ellipse", { class: "blush", cx: x, cy: 37, rx: 5, ry: 3 })),
  tongue: () => [svg("path", { class: "tongue", d: "M31 45h8v4q-4 6-8 0z" })],
};

// The parts of a face, in a 64 by 64 square.
function parts(emotion) {
  const { lines, dark, more = [] } = FACES[emotion] ?? FACES.neutral;
  return [
    svg("circle", { class: "skin", cx: 32, cy: 32, r: 30 }),
    ...more.filter((name) => name === "blush").flatMap((name) => MORE[name]()),
    ...lines.map((d) => svg("path", { class: "line", d })),
    dark && svg("path", { class: "dark", d: dark }),
    ...more.filter((name) => name !== "blush").flatMap((name) => MORE[name]()),
  ].filter(Boolean);
}

export function drawFace(emotion = "neutral") {
  const drawing = svg("svg", { viewBox: "0 0 64 64" });
  drawing.append(...parts(emotion));
  return make("span", { class: "face", "aria-hidden": "true", data: { emotion } }, drawing);
}

// A face that stays and changes: `show` an emotion, `speak` as loud as 0 to 1; null: silent again.
export class Face {
  #emotion = "";
  #drawing = svg("svg", { viewBox: "0 0 64 64" });
  #mouth = null;

  constructor(place) {
    this.place = place;
    place.replaceChildren(this.#drawing);
    this.show("happy");
  }

  show(emotion) {
    if (emotion === this.#emotion) return;
    this.#emotion = this.place.dataset.emotion = emotion;
    this.#mouth = null;
    this.#drawing.replaceChildren(...parts(emotion));
  }

  speak(level) {
    if (level === null) {
      if (this.#mouth) this.#restore();
      return;
    }
    if (!this.#mouth) {
      this.#drawing.replaceChildren(svg("circle", { class: "skin", cx: 32, cy: 32, r: 30 }), svg("path", { class: "line", d: eyes(this.#emotion) }));
      this.#mouth = svg("ellipse", { class: "dark", cx: 32, cy: 45 });
      this.#drawing.append(this.#mouth);
    }
    const open = Math.min(1, Math.sqrt(level));
    this.#mouth.setAttribute("rx", 8 - 2 * open);
    this.#mouth.setAttribute("ry", 1.2 + 6.5 * open);
  }

  #restore() {
    this.#mouth = null;
    this.#drawing.replaceChildren(...parts(this.#emotion));
  }
}

function eyes(emotion) {
  const [first] = (FACES[emotion] ?? FACES.neutral).lines;
  return [DOTS, ARCS, SHUT].includes(first) ? first : DOTS;
}
