// A remote app: `APP_SECRET=whsec_… node server.mjs [port]`.
import { createServer } from "node:http";
import { Answer, Memory, keysOf, read, resolveLists, verify } from "./webhooks.mjs";
import { prepareDraw, selectWinners } from "./wheel.mjs";

const keys = keysOf(process.env.APP_SECRET ?? "");
const memory = new Memory();

const hooks = {
  prepare_draw: (context) => prepareDraw(context),
  select_winners: (_context, request) => selectWinners(request),
  check_health: () => ({ status: "ok" }),
};

async function answer(envelope) {
  const hook = Object.hasOwn(hooks, envelope.hook) ? hooks[envelope.hook] : undefined;
  if (!hook) throw new Answer(404, "HOOK_UNKNOWN", `${envelope.hook} is not answered here.`);
  await resolveLists(envelope);
  const data = hook(envelope.context, envelope.request);
  const { id, contract, context } = envelope;
  return JSON.stringify({ id, contract, lock: context.lock, outcome: "ok", data });
}

function parse(body) {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Answer(400, "NOT_JSON", "The body is no JSON.");
  }
}

async function respond(request) {
  if (request.method !== "POST") throw new Answer(405, "METHOD", "Hooks are POSTed here.");
  const body = await read(request);
  const id = verify(keys, request.headers, body);
  const envelope = parse(body);
  if (envelope.id !== id) throw new Answer(400, "ID_MISMATCH", "Header and body name two calls.");
  return memory.once(id, () => answer(envelope));
}

const server = createServer(async (request, response) => {
  let status = 200;
  let text;
  try {
    text = await respond(request);
  } catch (error) {
    const known = error instanceof Answer;
    if (!known) console.error(error);
    status = known ? error.status : 500;
    const code = known ? error.code : "INTERNAL";
    text = JSON.stringify({ error: { code, message: known ? error.message : "It broke." } });
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(text);
});

server.listen(Number(process.argv[2] ?? 9002), "127.0.0.1", () => {
  console.log(`the wheel listens on http://127.0.0.1:${server.address().port}`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.close(() => process.exit()));
