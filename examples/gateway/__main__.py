"""Runs the gateway: `python -m examples.gateway --help`."""

import argparse
import asyncio
from pathlib import Path

from aiohttp import web

from examples.gateway.app import gateway
from examples.gateway.laurel import connected
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource


async def main() -> None:
    """Serves until Ctrl-C."""
    parser = argparse.ArgumentParser("examples.gateway", description="GitHub's door to Laurel.")
    parser.add_argument("--key", type=Path, required=True, help="its key, as <name in trust>.pem")
    parser.add_argument("--port", type=int, default=8080, help="of loopback (default: 8080)")
    for number, service in enumerate(("identity", "ingest", "scoring", "leaderboard"), 7401):
        parser.add_argument(f"--{service}", default=f"127.0.0.1:{number}", help="host:port")
    given = parser.parse_args()
    own = TokenSource(given.key.stem, load_private_key(given.key))
    async with connected(vars(given), own) as laurel:
        runner = web.AppRunner(gateway(laurel))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", given.port).start()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
