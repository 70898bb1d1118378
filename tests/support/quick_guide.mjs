// An app as the first platform's quick guide for webhooks tells people to write one: it parses the
// body, writes it again to verify the signature, and returns its winners in an envelope.
import crypto from 'node:crypto';
import http from 'node:http';

const secret = process.env.APP_SECRET;

function isSigned(request, parsed) {
  const body = JSON.stringify(parsed);
  const expected = 'sha256=' + crypto.createHmac('sha256', secret).update(body).digest('hex');
  return request.headers['x-platform-signature'] === expected;
}

function winnersOf({ participants, prizes }) {
  const left = [...participants];
  return prizes.flatMap((prize) =>
    left.splice(0, prize.quantityRemaining).map((person) => ({
      participantId: person.id,
      prizeId: prize.id,
      metadata: { userId: person.userId, team: person.metadata.team ?? null },
    })),
  );
}

const server = http.createServer((request, response) => {
  const answer = (status, document) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(document));
  };
  if (request.url === '/health') return answer(200, { status: 'ok', version: '1.0.0' });
  let text = '';
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    const parsed = JSON.parse(text);
    if (!isSigned(request, parsed)) {
      const error = { code: 'UNAUTHORIZED', message: 'Invalid webhook signature' };
      return answer(401, { success: false, error });
    }
    return answer(200, { success: true, data: { winners: winnersOf(parsed) } });
  });
});

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
