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

from parlor.chat.v1 import content_pb2, log_pb2, people_pb2, stream_pb2

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- The range [low, have] held of a conversation, the highest seq heard of, and its row of the chat list.
CREATE TABLE IF NOT EXISTS conversation (
    id TEXT PRIMARY KEY, low INTEGER NOT NULL DEFAULT 0, have INTEGER NOT NULL DEFAULT 0,
    head INTEGER NOT NULL DEFAULT 0, shown BLOB NOT NULL DEFAULT x'',
    -- The highest seq shown to the user, sent until the row says that the server has it.
    read INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS person (user_id TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
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

    def receipts(self, receipts: stream_pb2.Receipts) -> None:
        """Raises the marks of others in the row: they only grow."""
        row = self.shown(receipts.conversation_id)
        members = {member.user_id: member for member in row.members}
        for heard in receipts.members:
            if member := members.get(heard.user_id):
                if heard.marks.received > member.marks.received:
                    member.marks.received = heard.marks.received
                    member.marks.received_at.CopyFrom(heard.marks.received_at)
                if heard.marks.read > member.marks.read:
                    member.marks.read = heard.marks.read
                    member.marks.read_at.CopyFrom(heard.marks.read_at)
        values = (row.SerializeToString(), row.id)
        self.database.execute("UPDATE conversation SET shown = ? WHERE id = ?", values)

    def marks(self, conversation_id: str, user_id: str) -> log_pb2.Marks:
        """How far a member is, as far as this client was told."""
        members = {member.user_id: member.marks for member in self.shown(conversation_id).members}
        return members.get(user_id, log_pb2.Marks())

    def show_up_to(self, conversation_id: str, seq: int) -> None:
        """Everything up to `seq` was shown to the user (rule 4)."""
        update = "UPDATE conversation SET read = max(read, ?) WHERE id = ?"
        self.database.execute(update, (seq, conversation_id))

    def shown_marks(self) -> list[tuple[str, int]]:
        """Read marks of which no row says that the server has them."""
        rows = self.database.execute("SELECT id, read FROM conversation WHERE read > 0").fetchall()
        return [(id, read) for id, read in rows if read > self.shown(id).marks.read]

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

    # ---- people

    def know_person(self, person: people_pb2.Person) -> None:
        """Saves what there is between the user and another."""
        values = (person.user_id, person.SerializeToString())
        self.database.execute("REPLACE INTO person VALUES (?, ?)", values)

    def person(self, user_id: str) -> people_pb2.Person:
        """What there is between the user and another."""
        row = self.database.execute("SELECT bytes FROM person WHERE user_id = ?", (user_id,)).fetchone()
        return people_pb2.Person.FromString(row[0] if row else b"")

    def privacy(self) -> people_pb2.Privacy:
        """The user's privacy settings."""
        return people_pb2.Privacy.FromString(self.fact("privacy"))

    # ---- another generation

    def forget(self) -> None:
        """A new generation (rule 5): forgets cursor, ranges, entries and people; keeps the outbox with base_seq 0."""
        self.remember(cursor=b"")
        self.database.execute("DELETE FROM conversation")
        self.database.execute("DELETE FROM entry")
        self.database.execute("DELETE FROM person")
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
