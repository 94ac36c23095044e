// JSON to the playground and to the stand-ins' control APIs, all at this page's own address.

/** What went wrong, in words for whoever pressed. */
export class Refused extends Error {}

export async function get(path) {
  return read(await fetch(path));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return read(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function read(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body.error || `That did not work (${answer.status}).`);
  return body;
}

/**
 * Calls `heard` with each change that a stand-in tells of. The browser connects again by itself after an interruption;
 * it may be another demo that answers then, with everything begun anew, and so does the page.
 */
export function listen(path, heard) {
  const source = new EventSource(path);
  let wasCut = false;
  source.addEventListener("message", (event) => heard(JSON.parse(event.data)));
  source.addEventListener("error", () => (wasCut = true));
  source.addEventListener("open", () => wasCut && location.reload());
}
