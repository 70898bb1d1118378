// The border: what a remote app owes the platform, whatever it decides.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE_SECONDS = 300;
const MAX_BYTES = 1024 * 1024;
const MAX_LIST_BYTES = 512 * 1024 * 1024;
const REMEMBERED = 10_000;

/** An error with the status that the platform is answered with. */
export class Answer extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Read keys such as "whsec_…"; several, separated by blanks, are good at the same time. */
export function keysOf(text) {
  const keys = text.split(/\s+/).filter(Boolean);
  if (keys.length === 0) throw new Error("set APP_SECRET to the secret that the platform showed");
  return keys.map((key) => Buffer.from(key.replace(/^whsec_/, ""), "base64"));
}

/** Refuse what nobody with a key sent just now; source: Standard Webhooks 1.0.0. */
export function verify(keys, headers, body, now = Date.now() / 1000) {
  const id = headers["webhook-id"] ?? "";
  const sent = headers["webhook-timestamp"] ?? "";
  if (!id || !/^\d{1,12}$/.test(sent)) throw new Answer(401, "SIGNATURE_MISSING", "Not signed.");
  if (Math.abs(now - Number(sent)) > TOLERANCE_SECONDS) {
    throw new Answer(401, "TIMESTAMP_OLD", "Too old, or a clock is wrong.");
  }
  const offered = (headers["webhook-signature"] ?? "")
    .split(" ")
    .filter((part) => part.startsWith("v1,"))
    .map((part) => Buffer.from(part.slice(3), "base64"));
  const good = keys.some((key) => {
    const own = createHmac("sha256", key).update(`${id}.${sent}.`).update(body).digest();
    return offered.some((one) => one.length === own.length && timingSafeEqual(one, own));
  });
  if (!good) throw new Answer(401, "SIGNATURE_WRONG", "No signature is of a key that counts.");
  return id;
}

/** Read a body of a bounded size. */
export async function read(stream, limit = MAX_BYTES) {
  const parts = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > limit) throw new Answer(413, "TOO_LARGE", "The body is too large.");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Put the lists in that were too long for the body; the body, signed, says what they must be. */
export async function resolveLists(envelope) {
  for (const pointer of envelope.lists ?? []) {
    const path = pointer.split("/").slice(1);
    const last = path.pop();
    const holder = path.reduce((at, name) => at[name], envelope);
    const { url, digest } = holder[last];
    const found = await fetch(url, { redirect: "error" });
    if (!found.ok) throw new Answer(502, "LIST_UNREACHABLE", "A list could not be fetched.");
    const bytes = await read(found.body, MAX_LIST_BYTES);
    if (createHash("sha256").update(bytes).digest("hex") !== digest) {
      throw new Answer(502, "LIST_CHANGED", "A list is not what the platform said it is.");
    }
    holder[last] = JSON.parse(bytes.toString("utf8"));
  }
}

/** Remembers answers by the id of their call: asked again, an app says what it said before. */
export class Memory {
  #answers = new Map();

  /** Return the answer to a call: the known one, the one under way, or a new one. */
  once(id, answer) {
    const known = this.#answers.get(id);
    if (known) return known;
    const made = answer();
    this.#answers.set(id, made);
    made.catch(() => this.#answers.delete(id)); // who failed is asked again
    if (this.#answers.size > REMEMBERED) this.#answers.delete(this.#answers.keys().next().value);
    return made;
  }
}
