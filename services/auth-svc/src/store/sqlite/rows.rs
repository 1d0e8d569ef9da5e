//! Columns between their stored form and the domain's.

use parlor_embedded::rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use parlor_embedded::rusqlite::{self, Row};
use parlor_types::{DisplayName, Id, Op, Username};
use parlor_wire::media::v1::Media;
use prost::Message as _;

use crate::accounts::{Account, AccountKind, Credential, PasswordHash};
use crate::profiles::{Avatar, Profile, ProfileText};
use crate::sessions::{Device, RefreshState, Revocation, RowSecret, Session};
use crate::time::Moment;

/// Columns of [`account`], in order.
pub(super) const ACCOUNT: &str = "user_id, username, password_hash, secret_sha256, internal, credential_version, \
                                  registered_with, created_at, display_name, bio, profile_version, avatar";
/// Columns of [`profile`], in order.
pub(super) const PROFILE: &str =
    "user_id, username, password_hash IS NOT NULL, internal, display_name, bio, profile_version, avatar";
/// Columns of [`session`], in order.
pub(super) const SESSION: &str = "session_id, user_id, device_id, device_name, created_at, authenticated_at, \
                                  refreshed_at, generation, login_generation, last_op, secret, ended_at";
/// Columns of [`revocation`], in order.
pub(super) const REVOCATION: &str = "seq, session_id, user_id, revoked_at";

/// An id as the 16 bytes of a column.
pub(super) struct Column<T>(pub T);

impl<T: Id> ToSql for Column<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.bytes().to_vec()))
    }
}

impl<T: Id> FromSql for Column<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(|bytes| Self(T::from_bytes(bytes)))
    }
}

/// A count, which SQLite keeps as a signed number.
pub(super) struct Count(pub u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = i64::try_from(self.0);
        number.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = i64::column_result(value)?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.millis()))
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}

/// A value that was validated before it was stored.
struct Valid<T>(T);

impl FromSql for Valid<Username> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Username::new(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl FromSql for Valid<DisplayName> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        DisplayName::new(value.as_str()?, usize::MAX).map(Self).map_err(FromSqlError::other)
    }
}

impl FromSql for Valid<Avatar> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let media = Media::decode(value.as_blob()?).map_err(FromSqlError::other)?;
        Avatar::new(media).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, Count>(index).map(|count| count.0)
}

fn id<T: Id>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    row.get::<_, Column<T>>(index).map(|column| column.0)
}

pub(super) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let password: Option<String> = row.get(2)?;
    let credential = match password {
        Some(hash) => Credential::Password(PasswordHash::stored(hash)),
        None => Credential::Secret { sha256: row.get(3)?, internal: row.get(4)? },
    };
    Ok(Account {
        user_id: id(row, 0)?,
        username: row.get::<_, Valid<_>>(1)?.0,
        credential,
        credential_version: count(row, 5)?,
        registered_with: row.get::<_, Option<Column<Op>>>(6)?.map(|op| op.0),
        created_at: row.get(7)?,
        text: ProfileText { display_name: row.get(8)?, bio: row.get(9)? },
        profile_version: count(row, 10)?,
        avatar: row.get::<_, Option<Valid<Avatar>>>(11)?.map(|avatar| avatar.0),
    })
}

pub(super) fn profile(row: &Row<'_>) -> rusqlite::Result<Profile> {
    let kind = match row.get(2)? {
        true => AccountKind::Person,
        false => AccountKind::Service { internal: row.get(3)? },
    };
    Ok(Profile {
        user_id: id(row, 0)?,
        username: row.get::<_, Valid<_>>(1)?.0,
        kind,
        text: ProfileText { display_name: row.get(4)?, bio: row.get(5)? },
        version: count(row, 6)?,
        avatar: row.get::<_, Option<Valid<Avatar>>>(7)?.map(|avatar| avatar.0),
    })
}

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: id(row, 0)?,
        user_id: id(row, 1)?,
        device: Device { id: id(row, 2)?, name: row.get::<_, Valid<_>>(3)?.0 },
        created_at: row.get(4)?,
        authenticated_at: row.get(5)?,
        refreshed_at: row.get(6)?,
        refresh: RefreshState {
            generation: count(row, 7)?,
            login_generation: count(row, 8)?,
            last_op: row.get::<_, Option<Column<Op>>>(9)?.map(|op| op.0),
            secret: RowSecret(row.get(10)?),
        },
        ended_at: row.get(11)?,
    })
}

pub(super) fn revocation(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    Ok(Revocation {
        seq: count(row, 0)?,
        session_id: id(row, 1)?,
        user_id: id(row, 2)?,
        revoked_at: row.get(3)?,
    })
}
