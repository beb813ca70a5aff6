"""A service's process: settings, logs, one event loop, and an orderly end on SIGTERM or SIGINT."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop

from laurel_common.auth.keys import KeyFileError
from laurel_common.auth.trust import TrustFileError
from laurel_common.config import ConfigError, SettingsT, load_settings
from laurel_common.logging import configure_logging
from laurel_common.rpc.processes import EXIT_CONFIG, share_port
from laurel_common.rpc.server import RpcServer


async def serve(server: RpcServer, *, stop: asyncio.Event | None = None) -> None:
    """Starts `server` and stops it on SIGTERM, SIGINT, or when `stop` is set.

    A second signal takes the drain and the grace away.
    """
    wanted, hurry = stop or asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        (hurry if wanted.is_set() else wanted).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        try:
            await server.start()
        except ConfigError:
            await server.close()
            raise
        spare_the_collector()
        await wanted.wait()
        stopping = asyncio.create_task(server.stop())
        hurrying = asyncio.create_task(hurry.wait())
        await asyncio.wait({stopping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            # gRPC takes the shorter grace of two stops.
            await server.server.stop(0)
        hurrying.cancel()
        await stopping
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def spare_the_collector() -> None:
    """Has the garbage collector look seldom and briefly, and never at what has been loaded.

    Reference counts free what calls leave behind, but for seven objects a call that grpc.aio ties
    in a circle. Looking every few calls, as is the default, costs a read some percent of its rate;
    every few thousand, it stands still for so long that the slowest in a hundred tell.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 50, 100)


def run(
    settings_type: type[SettingsT], bootstrap: Callable[[SettingsT], Awaitable[RpcServer]]
) -> None:
    """Reads the settings, builds the service within its event loop and serves until told to stop;
    where they ask for several processes, keeps those running instead.

    Exits with 78 and the problems on stderr where the settings can't be used.
    """
    try:
        settings = load_settings(settings_type)
        configure_logging(settings.service_name, settings.log_level)
        if settings.processes > 1:
            sys.exit(asyncio.run(share_port(settings)))
        uvloop.run(_main(settings, bootstrap))
    except (ConfigError, KeyFileError, TrustFileError) as error:
        sys.stderr.write(f"laurel {settings_type.service_name}: {error}\n")
        sys.exit(EXIT_CONFIG)


async def _main(
    settings: SettingsT, bootstrap: Callable[[SettingsT], Awaitable[RpcServer]]
) -> None:
    await serve(await bootstrap(settings))
