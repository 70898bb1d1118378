"""A remote app that answers at once, as a program: hardly anything is between.

It echoes the id of the question, in the order in which questions come; `told` says its port.
"""

import asyncio

import uvloop

from .apart import told

_EFFECT = b'{"effect":"setState","private":{"count":3}}'
_DATA = b'"contract":"1.0","outcome":"ok","data":{"effects":[%b]}}' % _EFFECT
_ID = b"webhook-id: "
_LENGTH = b"content-length: "


class Answerer(asyncio.Protocol):
    """Reads requests as far as their length and their id, and answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the way back."""
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower() + b"\r\n"
            whole = end + 4 + int(_value(head, _LENGTH))
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            self._transport.write(_answer(_value(head, _ID)))


def _value(head: bytes, name: bytes) -> bytes:
    start = head.find(name)
    return head[start + len(name) : head.index(b"\r\n", start)] if start >= 0 else b""


def _answer(call_id: bytes) -> bytes:
    body = b'{"id":"%b",%b' % (call_id, _DATA)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


async def main() -> None:
    """Serve until nobody listens any more."""
    server = await asyncio.get_running_loop().create_server(Answerer, "127.0.0.1", 0)
    async with server:
        await told(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    uvloop.run(main())
