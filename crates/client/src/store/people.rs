//! Contacts, requests, blocks and privacy, as the server last said.

use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::{Person, Privacy, Relation};
use prost::Message as _;
use rusqlite::{Transaction, params};

use super::sql::{decode, first, rows, run};
use super::{Result, Store};

impl Store {
    /// Everybody with whom there is something: contacts, requests, blocks; by user id.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn people(&self) -> Result<Vec<Person>> {
        self.read(|tx| rows(tx, "SELECT person FROM person ORDER BY user_id", [], |row| decode(row.get(0)?)))
    }

    /// What there is between this user and another; none for nothing.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn person(&self, user: UserId) -> Result<Option<Person>> {
        self.read(|tx| person(tx, user))
    }

    /// The privacy settings; none until they were heard of.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn privacy(&self) -> Result<Option<Privacy>> {
        self.read(privacy)
    }

    /// Enters the answer to a unary call, unless the stream has told of a later change meanwhile.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn keep_person(&self, user: UserId, heard: &Person) -> Result<()> {
        let changed = |person: &Person| person.changed_at.map(|at| (at.seconds, at.nanos));
        self.write(|tx| match person(tx, user)? {
            Some(known) if changed(&known) > changed(heard) => Ok(()),
            _ => save(tx, user, heard),
        })
    }
}

fn person(tx: &Transaction<'_>, user: UserId) -> Result<Option<Person>> {
    first(tx, "SELECT person FROM person WHERE user_id = ?", [user.bytes()], |row| decode(row.get(0)?))
}

pub fn save(tx: &Transaction<'_>, user: UserId, person: &Person) -> Result<()> {
    if person.relation() == Relation::Unspecified && !person.blocked {
        return run(tx, "DELETE FROM person WHERE user_id = ?", [user.bytes()]);
    }
    let sql = "INSERT OR REPLACE INTO person (user_id, person) VALUES (?, ?)";
    run(tx, sql, params![user.bytes(), person.encode_to_vec()])
}

pub fn privacy(tx: &Transaction<'_>) -> Result<Option<Privacy>> {
    first(tx, "SELECT privacy FROM sync WHERE privacy IS NOT NULL", [], |row| decode(row.get(0)?))
}
