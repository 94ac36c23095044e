"""The baseline of deliveries: slack_sdk's client with one session posts the same message again and again.

Takes the body to post on stdin, as one line of JSON, and writes posts a second to stdout.
"""

import asyncio
import itertools
import json
import logging
import sys
import time

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bench.processes.layout import BOT_TOKEN, SERVER, pin


async def main(slack_url: str, posts: int, concurrency: int) -> None:
    """Post so many, so many at a time."""
    pin(SERVER)
    body = json.loads(sys.stdin.readline())
    numbers = itertools.count()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=BOT_TOKEN, base_url=f"{slack_url}/api/", session=session, retry_handlers=[])
        logging.getLogger("slack_sdk").setLevel(logging.WARNING)

        async def work() -> None:
            while (number := next(numbers)) < posts:
                await client.api_call("chat.postMessage", json={**body, "channel": f"U0BARE{number}"})

        start = time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(work())
        sys.stdout.write(json.dumps(posts / (time.perf_counter() - start)) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
