"""The baseline: a bare Bolt app that acknowledges `/lapsed` and responds with a constant.

It has what we have: the same libraries, Bolt's quicker way to acknowledge, and one session for all answers.
"""

import asyncio
import sys
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bench.processes.layout import BOT_TOKEN, SERVER, SIGNING_SECRET, pin

_CONSTANT = "Nothing needs connecting."


async def main(slack_url: str) -> None:
    """Serve until stdin ends."""
    pin(SERVER)
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=BOT_TOKEN, base_url=f"{slack_url}/api/", session=session)
        app = AsyncApp(client=client, signing_secret=SIGNING_SECRET, process_before_response=True)
        async with asyncio.TaskGroup() as answering:

            @app.command("/lapsed")
            async def lapsed(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                webhook = AsyncWebhookClient(body["response_url"], session=session)
                answering.create_task(webhook.send(text=_CONSTANT))

            runner = web.AppRunner(app.server(path="/slack/events").web_app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            sys.stdout.write(f'"http://127.0.0.1:{site.port}"\n')
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
