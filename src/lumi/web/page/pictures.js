// A picture on its way to the model that looks at it: made small enough here, and a smaller one kept for the conversation.

const LONGEST_PX = 1600;
const THUMBNAIL_PX = 320;
const LARGEST_BYTES = 4_500_000; // the server takes 5 MB
const KNOWN = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

// `{ blob, thumbnail }`. Throws where the file is no picture that this browser knows.
export async function readied(file) {
  const picture = await decoded(file);
  const large = Math.max(picture.width, picture.height) > LONGEST_PX || file.size > LARGEST_BYTES || !KNOWN.has(file.type);
  const blob = large ? await blobOf(drawn(picture, LONGEST_PX)) : file;
  const thumbnail = drawn(picture, THUMBNAIL_PX).toDataURL("image/jpeg", 0.7);
  picture.close?.();
  return { blob, thumbnail };
}

// The first picture among what was pasted or dropped; null if there is none.
export function pictureOf(transfer) {
  return [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/")) ?? null;
}

async function decoded(file) {
  if (globalThis.createImageBitmap) return createImageBitmap(file);
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function drawn(picture, longest) {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // JPEG knows no transparency
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function blobOf(canvas) {
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("the picture could not be written"))), "image/jpeg", 0.85);
  });
}
