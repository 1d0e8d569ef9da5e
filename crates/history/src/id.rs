//! Ids as they stand in a line: the canonical strings that go over the wire.

use std::fmt::Display;

use parlor_types::Id;
use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

pub fn serialize<T: Id + Display, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

pub fn deserialize<'de, T: Id, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    T::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no lower-case UUID")))
}

/// Lists of them.
pub mod list {
    use super::{Deserializer, Display, Id, Serializer};
    use serde::de::Error as _;
    use serde::{Deserialize as _, ser::SerializeSeq as _};

    pub fn serialize<T: Id + Display, S: Serializer>(ids: &[T], to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(ids.len()))?;
        for id in ids {
            list.serialize_element(&id.to_string())?;
        }
        list.end()
    }

    pub fn deserialize<'de, T: Id, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let parsed = texts.iter().map(|text| {
            T::parse(text).ok_or_else(|| D::Error::custom(format!("{text:?} is no lower-case UUID")))
        });
        parsed.collect()
    }
}
