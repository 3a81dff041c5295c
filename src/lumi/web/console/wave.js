// Both sides of a recording as waves, the user's above and Lumi's below, and a mark where it is played.

const drawn = new WeakMap();

export function draw(canvas, player) {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const width = (canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio)));
  const height = (canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio)));
  const colours = getComputedStyle(canvas);
  const ink = { client: colours.getPropertyValue("--soft"), server: colours.getPropertyValue("--accent") };
  const pen = canvas.getContext("2d");
  const loudest = Math.max(0.05, ...player.stretches.filter((one) => one.sound).map((one) => peak(one.sound.getChannelData(0))));
  for (const { side, start, sound } of player.stretches) {
    if (!sound) continue;
    pen.fillStyle = ink[side];
    const samples = sound.getChannelData(0);
    const from = (width * start) / player.length;
    const columns = Math.max(1, Math.ceil((width * sound.duration * 1000) / player.length));
    for (let column = 0; column < columns; column += 1) {
      const slice = samples.subarray(Math.floor((samples.length * column) / columns), Math.floor((samples.length * (column + 1)) / columns));
      const size = Math.max(1, (0.46 * height * peak(slice)) / loudest);
      pen.fillRect(Math.round(from) + column, side === "client" ? height / 2 - 1 - size : height / 2 + 1, 1, size);
    }
  }
  drawn.set(canvas, { picture: pen.getImageData(0, 0, width, height), ink: colours.getPropertyValue("--ink") });
}

export function mark(canvas, share) {
  const known = drawn.get(canvas);
  if (!known) return;
  const pen = canvas.getContext("2d");
  pen.putImageData(known.picture, 0, 0);
  pen.fillStyle = known.ink;
  pen.fillRect(Math.round(share * (canvas.width - 2)), 0, 2, canvas.height);
}

function peak(samples) {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}
