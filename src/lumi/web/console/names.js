// What devices are called. One whose name is not known goes by its id.

import { get } from "./api.js";

const names = new Map();

export const called = (id) => names.get(id) || id;

export function note(devices) {
  for (const device of devices) names.set(device.id, device.name);
}

// Asks for all of them; also those that are not here have turns and recordings.
export async function fetchNames() {
  try {
    note((await get("devices")).devices);
  } catch { /* the badge tells */ }
}

export const forgetNames = () => names.clear();
