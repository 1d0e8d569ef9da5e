"""Plays every step in order and counts. Steps build on each other, so the first failure is the last step."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import traceback
from pathlib import Path

from . import accounts, delivery, devices, people, presence, receipts, refusals, restore
from .world import World

STEPS = [
    accounts.register_and_refuse,
    accounts.refresh,
    delivery.conversations,
    delivery.talk,
    delivery.slow_network_and_rate_limit,
    delivery.cut_mid_burst,
    delivery.half_open,
    delivery.kill_mid_burst,
    delivery.asked_to_stop,
    delivery.one_path,
    delivery.phone_put_back,
    refusals.appends,
    refusals.strangers,
    receipts.ticks,
    receipts.unshared,
    devices.unread,
    devices.preferences,
    presence.typing,
    presence.watched,
    people.contacts,
    people.blocks,
    people.emails,
    restore.backup_and_restore,
    accounts.logout,
]


async def play(folder: Path) -> int:
    """Runs the steps; how many failed."""
    world = World(folder)
    await world.begin()
    passed = failed = 0
    try:
        for step in STEPS:
            began = time.monotonic()
            title = (step.__doc__ or step.__name__).splitlines()[0]
            try:
                await step(world)
            except Exception as error:
                failed = 1
                print(f"FAILED  {title}\n        {error}")
                traceback.print_exc(file=sys.stdout)
                print(f"the end of the server's log:\n{world.server.last_words()}")
                break
            passed += 1
            print(f"ok {time.monotonic() - began:5.1f} s  {title}", flush=True)
    finally:
        await world.end()
    left = len(STEPS) - passed - failed
    print(f"{passed} passed, {failed} failed" + (f", {left} not run" if left else ""))
    return failed


with tempfile.TemporaryDirectory(prefix="parlor-python-") as name:
    sys.exit(1 if asyncio.run(play(Path(name))) else 0)
