"""The operator puts a backup back: the server forgets, the clients do not stumble."""

from __future__ import annotations

from functools import partial

from harness.server import Server
from parlor_client.store import Store

from .delivery import texts
from .world import World


def differs(store: Store, generation: str) -> bool:
    """Whether the client has met another generation."""
    return store.text("generation") != generation


async def backup_and_restore(world: World) -> None:
    """after a restore from a backup clients sync afresh, keep their outbox, and agree with the server"""
    ada, bob = world.ada, world.bob
    generation = ada.client.store.text("generation")
    await world.server.backup(world.folder / "backup")
    kept = len(await world.server_log(ada, world.direct))

    # These the backup does not hold. They were acked, and a restore loses them: that is what it is.
    lost = ada.say(world.direct, *texts("too late", 5)) + bob.say(world.direct, *texts("too late as well", 5))
    for person in (ada, bob):
        await person.holds(world.direct, lost)

    # And these are still in an outbox, with a base_seq above anything the restored log has.
    await ada.lose_network()
    waiting = ada.say(world.direct, *texts("still here", 5))
    assert all(pending.base_seq > kept for pending in ada.client.store.outbox())

    await world.server.stop()
    world.server = Server(world.folder / "restored")
    await world.server.restore(world.folder / "backup")
    await world.server.start()
    await world.moved()
    ada.regain_network()

    for person in (ada, bob):
        store = person.client.store
        await person.client.until("another generation", partial(differs, store, generation))
        person.sent[world.direct] = [op for op in person.sent[world.direct] if op not in lost]
    more = bob.say(world.direct, *texts("after the restore", 5))
    for person in (ada, bob):
        await person.holds(world.direct, waiting + more)
    assert len(await world.server_log(ada, world.direct)) == kept + len(waiting + more)
    for conversation_id in (world.direct, world.group):
        await world.verify(conversation_id)
