"""A way to a server that can be cut and mended while connections go through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class CuttableWay:
    """Forwards a port of loopback to a server's; cut, it drops everybody and lets nobody in."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._whole = True
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The server's URL by this way."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        login, at, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{login}{at}127.0.0.1:{port}"))

    def cut(self) -> None:
        """Drops all connections, and those to come."""
        self._whole = False
        for pipe in self._pipes:
            pipe.cancel()

    def mend(self) -> None:
        """Lets connections through again."""
        self._whole = True

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        host, port = self._parts.hostname, self._parts.port
        other_reader, other_writer = await asyncio.open_connection(host, port)
        if not self._whole:  # cut while the server was called
            for each in (writer, other_writer):
                each.transport.abort()
            return
        pipes = [
            asyncio.create_task(_pipe(reader, other_writer)),
            asyncio.create_task(_pipe(other_reader, writer)),
        ]
        self._pipes.update(pipes)
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for pipe in pipes:
            pipe.cancel()
            self._pipes.discard(pipe)
        for each in (writer, other_writer):
            each.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cuttable(url: str) -> AsyncIterator[CuttableWay]:
    """A way to the server of `url`."""
    way = CuttableWay(url)
    way._server = await asyncio.start_server(way._forward, "127.0.0.1", 0)
    try:
        yield way
    finally:
        way.cut()
        way._server.close()
