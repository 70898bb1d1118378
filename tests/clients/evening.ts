// An evening with the client that is generated from /openapi.json. It compiles in strict mode, so
// every field that is read here is in the document, with its type.
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

declare const process: { env: Record<string, string | undefined>; exit(code: number): never };

const baseUrl = process.env.HOST_URL ?? '';
const password = process.env.PASSWORD ?? '';

type Result<T> = { data?: T; error?: components['schemas']['ErrorResponse'] };

function required<T>(result: Result<T>): T {
  if (result.data === undefined) throw new Error(JSON.stringify(result.error));
  return result.data;
}

async function signIn(email: string) {
  const anonymous = createClient<paths>({ baseUrl });
  const signedIn = required(
    await anonymous.POST('/api/v1/auth/login', { body: { email, password } }),
  ).data;
  const headers = { Authorization: `Bearer ${signedIn.accessToken}` };
  return { client: createClient<paths>({ baseUrl, headers }), user: signedIn.user };
}

const organizer = (await signIn('organizer@example.com')).client;
const ada = await signIn('ada@example.com');

const room: components['schemas']['Room'] = required(
  await organizer.POST('/api/v1/rooms', { body: { name: 'Evening', appId: 'stall', isPublic: true } }),
).data;
const path = { id: room.id };
const prize = required(
  await organizer.POST('/api/v1/rooms/{id}/prizes', { params: { path }, body: { name: 'Bike' } }),
).data;
required(
  await organizer.PATCH('/api/v1/rooms/{id}', { params: { path }, body: { status: 'ACTIVE' } }),
);
const participant = required(
  await ada.client.POST('/api/v1/rooms/{id}/participants', {
    params: { path },
    body: { role: 'PARTICIPANT', metadata: { team: 'red' } },
  }),
).data;
if (participant.user.id !== ada.user.id) throw new Error('somebody else joined');

const draw = required(
  await organizer.POST('/api/v1/rooms/{id}/draws', { params: { path }, body: { run: true } }),
).data;
let status: components['schemas']['DrawStatus'] = draw.status;
while (status !== 'REVEALED') {
  const params = { path: { ...path, did: draw.id } };
  status = required(await organizer.GET('/api/v1/rooms/{id}/draws/{did}', { params })).data.status;
}
const winners = required(
  await organizer.GET('/api/v1/rooms/{id}/winners', { params: { path, query: { prizeId: prize.id } } }),
);
const record = required(
  await organizer.GET('/api/v1/rooms/{id}/draws/{did}/record', {
    params: { path: { ...path, did: draw.id } },
  }),
).data;
const names: string[] = winners.data.map((winner) => winner.participant.user.name);
if (winners.meta.total !== 1 || names[0] !== 'ada') throw new Error(`winners: ${names}`);
if (record.picks[0]?.participantId !== participant.id) throw new Error('the record differs');

const refused = await ada.client.PATCH('/api/v1/rooms/{id}', { params: { path }, body: { name: 'Mine' } });
if (refused.error?.error.code !== 'FORBIDDEN') throw new Error('a participant renamed the room');
required(await organizer.PATCH('/api/v1/rooms/{id}', { params: { path }, body: { status: 'COMPLETED' } }));
const deleted = required(await organizer.DELETE('/api/v1/rooms/{id}', { params: { path } })).data;
console.log(`${deleted.id} was played and deleted`);
