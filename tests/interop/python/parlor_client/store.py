"""What a client keeps on disk: who it is, what it holds of each conversation, and what it still has to send.

One SQLite file. Whoever changes it does so inside `with store:`, which is one transaction: rules 2 and 3 are about what
is saved together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from parlor.chat.v1 import content_pb2, log_pb2

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- The range [low, have] held of a conversation, the highest seq heard of, and its row of the chat list.
CREATE TABLE IF NOT EXISTS conversation (
    id TEXT PRIMARY KEY, low INTEGER NOT NULL DEFAULT 0, have INTEGER NOT NULL DEFAULT 0,
    head INTEGER NOT NULL DEFAULT 0, shown BLOB NOT NULL DEFAULT x''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
    conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL UNIQUE, conversation_id TEXT NOT NULL,
    base_seq INTEGER NOT NULL, content BLOB NOT NULL
);
"""


@dataclass(frozen=True)
class Held:
    """How far a conversation is held: every readable entry of [low, have]; `head` is the highest heard of."""

    low: int
    have: int
    head: int


@dataclass(frozen=True)
class Pending:
    """An append that is not acked."""

    op: str
    conversation_id: str
    base_seq: int
    content: content_pb2.Content


class Store:
    """The file of one installation."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(folder / "client.sqlite3")
        self.database.executescript(SCHEMA)

    def __enter__(self) -> Store:
        self.database.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.__exit__(kind, error, trace)

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    # ---- facts

    def fact(self, name: str) -> bytes:
        """What was saved under this name; empty if nothing was."""
        row = self.database.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row[0] if row else b""

    def text(self, name: str) -> str:
        """The same as text."""
        return self.fact(name).decode()

    def remember(self, **facts: str | bytes) -> None:
        """Saves facts by name."""
        rows = [(name, value.encode() if isinstance(value, str) else value) for name, value in facts.items()]
        self.database.executemany("REPLACE INTO fact VALUES (?, ?)", rows)

    # ---- conversations

    def conversations(self) -> list[str]:
        """Every conversation heard of."""
        return [row[0] for row in self.database.execute("SELECT id FROM conversation ORDER BY id")]

    def held(self, conversation_id: str) -> Held:
        """How far a conversation is held; all zero for an unknown one."""
        query = "SELECT low, have, head FROM conversation WHERE id = ?"
        row = self.database.execute(query, (conversation_id,)).fetchone()
        return Held(*row) if row else Held(0, 0, 0)

    def incomplete(self) -> list[str]:
        """The conversations of which more was heard than is held."""
        return [row[0] for row in self.database.execute("SELECT id FROM conversation WHERE have < head")]

    def show(self, row: log_pb2.Conversation) -> None:
        """Saves a row of the chat list over the one there was."""
        self._know(row.id)
        values = (row.SerializeToString(), row.id)
        self.database.execute("UPDATE conversation SET shown = ? WHERE id = ?", values)
        self.hear(row.id, row.head)

    def shown(self, conversation_id: str) -> log_pb2.Conversation:
        """The row of the chat list; empty for an unknown conversation."""
        query = "SELECT shown FROM conversation WHERE id = ?"
        row = self.database.execute(query, (conversation_id,)).fetchone()
        return log_pb2.Conversation.FromString(row[0] if row else b"")

    def hear(self, conversation_id: str, seq: int) -> None:
        """Notes that the conversation reaches at least to `seq`."""
        self._know(conversation_id)
        values = (seq, conversation_id)
        self.database.execute("UPDATE conversation SET head = max(head, ?) WHERE id = ?", values)

    def settle(self, conversation_id: str) -> None:
        """Takes what is held for all there is to read."""
        self.database.execute("UPDATE conversation SET head = have WHERE id = ?", (conversation_id,))

    def apply(self, entry: log_pb2.Entry, low: int) -> None:
        """Saves the next entry. It is dropped from the outbox if it came from there."""
        values = (entry.conversation_id, entry.seq, entry.SerializeToString())
        self.database.execute("INSERT INTO entry VALUES (?, ?, ?)", values)
        self.hear(entry.conversation_id, entry.seq)
        update = "UPDATE conversation SET low = ?, have = ? WHERE id = ?"
        self.database.execute(update, (low, entry.seq, entry.conversation_id))
        if entry.sender_id == self.text("user_id"):
            self.drop(entry.op)

    def log(self, conversation_id: str) -> list[log_pb2.Entry]:
        """All entries held, lowest first."""
        query = "SELECT bytes FROM entry WHERE conversation_id = ? ORDER BY seq"
        rows = self.database.execute(query, (conversation_id,))
        return [log_pb2.Entry.FromString(row[0]) for row in rows]

    def forget(self) -> None:
        """A new generation (rule 5): forgets cursor, ranges and entries, and keeps the outbox with base_seq 0."""
        self.remember(cursor=b"")
        self.database.execute("DELETE FROM conversation")
        self.database.execute("DELETE FROM entry")
        self.database.execute("UPDATE outbox SET base_seq = 0")

    def _know(self, conversation_id: str) -> None:
        self.database.execute("INSERT OR IGNORE INTO conversation (id) VALUES (?)", (conversation_id,))

    # ---- outbox

    def put(self, pending: Pending) -> None:
        """Saves an append before it is sent (rule 2)."""
        values = (pending.op, pending.conversation_id, pending.base_seq, pending.content.SerializeToString())
        insert = "INSERT INTO outbox (op, conversation_id, base_seq, content) VALUES (?, ?, ?, ?)"
        self.database.execute(insert, values)

    def outbox(self) -> Iterator[Pending]:
        """What is not acked, in the order it was made."""
        query = "SELECT op, conversation_id, base_seq, content FROM outbox ORDER BY position"
        for op, conversation_id, base_seq, content in self.database.execute(query).fetchall():
            yield Pending(op, conversation_id, base_seq, content_pb2.Content.FromString(content))

    def rebase(self, op: str, base_seq: int) -> None:
        """Moves base_seq up to where the op was looked for and not found (OP_TOO_OLD)."""
        self.database.execute("UPDATE outbox SET base_seq = ? WHERE op = ?", (base_seq, op))

    def drop(self, op: str) -> None:
        """Takes an append out of the outbox, if it is there."""
        self.database.execute("DELETE FROM outbox WHERE op = ?", (op,))
