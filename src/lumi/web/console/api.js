// The admin HTTP API of the server that this page came from. The token stays in this tab.

const KEY = "lumi.admin_token";
const PATIENCE_MS = 10_000;

export class Refused extends Error {}
export class Unreachable extends Error {}

let token = sessionStorage.getItem(KEY) ?? "";

export const hasToken = () => token !== "";

export function setToken(value) {
  token = value.trim();
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

// What is answered. Refused: the token is wrong; Unreachable: nobody answered; Error: the server says why not.
async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    throw new Unreachable(String(error));
  }
  if (answer.status === 401) throw new Refused();
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    throw new Error(told?.error?.message ?? `HTTP ${answer.status}`);
  }
  return answer;
}

export const get = async (path) => (await ask("GET", path)).json();
export const lines = async (path) => (await ask("GET", path)).text();

export async function act(method, path, body) {
  const answer = await ask(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

export const part = (id) => encodeURIComponent(id);
