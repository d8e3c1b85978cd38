# SPDX-License-Identifier: MIT
"""A path to a provider that can lose its connections: both ends stay open and nothing passes any more.

That is what a firewall that forgot its table, or a machine that lost its power, looks like from the other side.
"""

import asyncio
import contextlib
import threading


class Front:
    """Forwards a free port to `server`. `lose()` makes all connections of now half-open; later ones work."""

    def __init__(self, server):
        self._target = (server.host, server.port)
        self._generation = 0
        self._loop = asyncio.new_event_loop()
        self._tasks = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.host, self.port = self._server.sockets[0].getsockname()
        self.url = f"http://{self.host}:{self.port}"

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def lose(self):
        self._generation += 1

    def stop(self):
        async def end():
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        generation = self._generation
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            one = asyncio.ensure_future(self._pass(reader, far_writer, generation))
            other = asyncio.ensure_future(self._pass(far_reader, writer, generation))
            try:
                await asyncio.wait((one, other), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (one, other):
                    task.cancel()
                await asyncio.gather(one, other, return_exceptions=True)
                far_writer.close()
        writer.close()
        self._tasks.discard(asyncio.current_task())

    async def _pass(self, reader, writer, generation):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if generation != self._generation:
                    await asyncio.Event().wait()  # until stop()
                writer.write(data)
