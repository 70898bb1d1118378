// What the wheel decides: pure functions of what the platform says.
import { createHmac } from "node:crypto";

/** Say who takes part in a draw and that the selection is this app's own. */
export function prepareDraw(context) {
  const field = context.room.settings.ticketsField;
  return {
    entries: { tickets: { of: "metadata", field } },
    algorithm: "app",
    each: "once",
    rule: "For each prize the wheel is spun once; a field for each ticket of those who have not won.",
  };
}

/** Spin the wheel for each unit of each prize; the same seed gives the same winners. */
export function selectWinners({ prizes, participants, tickets, exclude, each, seed }) {
  const out = new Set(exclude);
  const picks = [];
  let spins = 0;
  for (const { prizeId, count } of prizes) {
    const here = new Set(out);
    for (let unit = 0; unit < count; unit += 1) {
      const field = fieldOf(participants, tickets, here);
      if (field.total === 0n) break;
      spins += 1;
      const participantId = field.at(spin(seed, spins, field.total));
      picks.push({ prizeId, participantId });
      here.add(participantId);
      if (each === "once") out.add(participantId);
    }
  }
  return { picks };
}

function fieldOf(participants, tickets, without) {
  const inside = participants
    .map((id, place) => ({ id, tickets: BigInt(tickets[place]) }))
    .filter(({ id }) => !without.has(id));
  const total = inside.reduce((sum, one) => sum + one.tickets, 0n);
  const at = (position) => {
    let left = position;
    for (const one of inside) {
      if (left < one.tickets) return one.id;
      left -= one.tickets;
    }
    throw new RangeError("a position beyond the wheel");
  };
  return { total, at };
}

// A number below `total`, each as likely as any other: what would favour the first is thrown away.
function spin(seed, number, total) {
  const range = 1n << 256n;
  const limit = range - (range % total);
  for (let again = 0; ; again += 1) {
    const drawn = createHmac("sha256", Buffer.from(seed, "hex"))
      .update(`spin/${number}/${again}`)
      .digest("hex");
    const value = BigInt(`0x${drawn}`);
    if (value < limit) return value % total;
  }
}
