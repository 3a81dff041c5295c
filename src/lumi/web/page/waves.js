// The sound of both sides as bars that wander to the left: mine above the middle, Lumi's below.

const BAR_PX = 3;
const GAP_PX = 2;
const STEP_MS = 60;
const MOST = 200;

export class Waves {
  #bars = []; // [mine, Lumi's], newest last
  #now = { input: 0, output: 0 };
  #timer = null;

  constructor(canvas) {
    this.canvas = canvas;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
  }

  // How loud a side is, 0 to 1; between two steps the loudest counts.
  push(side, level) {
    this.#now[side] = Math.max(this.#now[side], level);
  }

  run() {
    this.#timer ??= setInterval(() => this.#step(), this.calm.matches ? 5 * STEP_MS : STEP_MS);
    this.#draw();
  }

  rest() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#bars = [];
  }

  #step() {
    this.#bars.push([this.#now.input, this.#now.output]);
    if (this.#bars.length > MOST) this.#bars.shift();
    this.#now = { input: 0, output: 0 };
    this.#draw();
  }

  #draw() {
    const { canvas } = this;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const colours = getComputedStyle(document.documentElement);
    const [mine, lumis] = [colours.getPropertyValue("--soft"), colours.getPropertyValue("--accent")];
    const middle = height / 2;
    const count = Math.floor(width / (BAR_PX + GAP_PX));
    for (let index = 0; index < count; index += 1) {
      const [input, output] = this.#bars.at(index - count) ?? [0, 0];
      const x = index * (BAR_PX + GAP_PX);
      bar(pen, mine, x, middle, -tall(input, middle));
      bar(pen, lumis, x, middle, tall(output, middle));
    }
  }
}

// Quiet sounds are to be seen too.
function tall(level, most) {
  return Math.max(1, Math.sqrt(Math.min(1, level)) * (most - 1));
}

function bar(pen, colour, x, middle, height) {
  pen.fillStyle = colour;
  pen.fillRect(x, height < 0 ? middle + height : middle, BAR_PX, Math.abs(height));
}
