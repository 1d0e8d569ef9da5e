//! Ids as they stand in a line: the canonical strings that go over the wire.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use parlor_types::Id;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

pub fn serialize<T: Id + Display, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

pub fn maybe<T: Id + Display, S: Serializer>(id: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.collect_str(id),
        None => to.serialize_none(),
    }
}

pub fn deserialize<'de, T: Id, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_str(Canonical(PhantomData))
}

/// Parses an id where it stands: there are millions of them.
struct Canonical<T>(PhantomData<T>);

impl<T: Id> Visitor<'_> for Canonical<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lower-case UUID")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).ok_or_else(|| E::custom(format!("{text:?} is no lower-case UUID")))
    }
}

/// An id that can stand alone in a list or an option.
pub struct Named<T>(pub T);

impl<'de, T: Id> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        deserialize(from).map(Self)
    }
}

/// Lists of them.
pub mod list {
    use super::{Deserializer, Display, Id, Named, Serializer};
    use serde::{Deserialize as _, ser::SerializeSeq as _};

    pub fn serialize<T: Id + Display, S: Serializer>(ids: &[T], to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(ids.len()))?;
        for id in ids {
            list.serialize_element(&id.to_string())?;
        }
        list.end()
    }

    pub fn deserialize<'de, T: Id, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<Named<T>>::deserialize(from)?.into_iter().map(|Named(id)| id).collect())
    }
}
