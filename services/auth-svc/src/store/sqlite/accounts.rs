//! The table `account`.

use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, named_params, params};
use parlor_types::{MediaId, UserId, Username};
use prost::Message as _;

use super::super::Created;
use super::emails;
use super::rows::{self, ACCOUNT, Column, Count, PROFILE};
use crate::accounts::{Account, Credential, PasswordHash};
use crate::emails::{EmailAddress, EmailState};
use crate::profiles::{Avatar, Profile, ProfileText, fold};

pub(super) fn by_id(connection: &Connection, user: UserId) -> Result<Option<Account>> {
    let sql = format!("SELECT {ACCOUNT} FROM account WHERE user_id = ?1");
    connection.prepare_cached(&sql)?.query_row([Column(user)], rows::account).optional()
}

pub(super) fn by_name(connection: &Connection, username: &Username) -> Result<Option<Account>> {
    let sql = format!("SELECT {ACCOUNT} FROM account WHERE username = ?1");
    connection.prepare_cached(&sql)?.query_row([username.as_str()], rows::account).optional()
}

pub(super) fn none(connection: &Connection) -> Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM account)", [], |row| row.get(0))
}

/// As [`create`], with an address that counts as proved.
pub(super) fn create_with(
    connection: &Connection,
    account: &Account,
    address: Option<&EmailAddress>,
) -> Result<Created> {
    if let Some(address) = address
        && emails::is_proved(connection, address.compared())?
    {
        return Ok(Created::Taken);
    }
    let created = create(connection, account)?;
    if let Some(address) = address
        && created == Created::Made
    {
        emails::put(connection, account.user_id, &EmailState::imported(address.clone()))?;
    }
    Ok(created)
}

fn create(connection: &Connection, account: &Account) -> Result<Created> {
    let (password, secret, internal) = match &account.credential {
        Credential::Password(hash) => (Some(hash.as_str()), None, false),
        Credential::Secret { sha256, internal } => (None, Some(sha256), *internal),
    };
    let sql = "INSERT INTO account (user_id, username, display_folded, display_name, bio, profile_version,
                                    password_hash, secret_sha256, internal, credential_version, registered_with,
                                    created_at)
               VALUES (:user_id, :username, :display_folded, :display_name, :bio, :profile_version,
                       :password_hash, :secret_sha256, :internal, :credential_version, :registered_with,
                       :created_at)
               ON CONFLICT DO NOTHING";
    let made = connection.prepare_cached(sql)?.execute(named_params! {
        ":user_id": Column(account.user_id),
        ":username": account.username.as_str(),
        ":display_folded": fold(&account.text.display_name),
        ":display_name": account.text.display_name,
        ":bio": account.text.bio,
        ":profile_version": Count(account.profile_version),
        ":password_hash": password,
        ":secret_sha256": secret,
        ":internal": internal,
        ":credential_version": Count(account.credential_version),
        ":registered_with": account.registered_with.map(Column),
        ":created_at": account.created_at,
    })?;
    Ok(if made == 1 { Created::Made } else { Created::Taken })
}

/// `exchanged` tells another password from the same one hashed anew.
pub(super) fn set_password(
    connection: &Connection,
    user: UserId,
    hash: &PasswordHash,
    exchanged: bool,
) -> Result<()> {
    let sql = "UPDATE account SET password_hash = ?2, credential_version = credential_version + ?3
               WHERE user_id = ?1 AND password_hash IS NOT NULL";
    connection.prepare_cached(sql)?.execute(params![Column(user), hash.as_str(), exchanged]).map(drop)
}

pub(super) fn set_profile(
    connection: &Connection,
    user: UserId,
    text: &ProfileText,
    avatar: Option<&Avatar>,
) -> Result<()> {
    let sql = "UPDATE account SET display_name = ?2, display_folded = ?3, bio = ?4,
                                  avatar = ?5, avatar_id = ?6,
                                  profile_version = profile_version + 1
               WHERE user_id = ?1";
    let folded = fold(&text.display_name);
    connection
        .prepare_cached(sql)?
        .execute(params![
            Column(user),
            text.display_name,
            folded,
            text.bio,
            avatar.map(|avatar| avatar.media().encode_to_vec()),
            avatar.map(|avatar| Column(avatar.id()))
        ])
        .map(drop)
}

/// Those of these files that are somebody's picture.
pub(super) fn used_avatars(connection: &Connection, media: Vec<MediaId>) -> Result<Vec<MediaId>> {
    let sql = "SELECT 1 FROM account WHERE avatar_id = ?1 LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut used = Vec::new();
    for media in media {
        if statement.exists([Column(media)])? {
            used.push(media);
        }
    }
    Ok(used)
}

pub(super) fn profiles(connection: &Connection, users: &[UserId]) -> Result<Vec<Profile>> {
    let sql = format!("SELECT {PROFILE} FROM account WHERE user_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = Vec::with_capacity(users.len());
    for user in users {
        found.extend(statement.query_row([Column(*user)], rows::profile).optional()?);
    }
    Ok(found)
}

/// Each half of the union is a range of an index; the first ends after `limit` rows, the second costs as many as there
/// are display names with the prefix.
pub(super) fn search(
    connection: &Connection,
    prefix: &str,
    after: Option<&Username>,
    limit: usize,
) -> Result<Vec<Profile>> {
    let sql = format!(
        "SELECT {PROFILE} FROM account WHERE username IN (
             SELECT username FROM (
                 SELECT username FROM account
                 WHERE username > :after AND username >= :prefix AND (:end IS NULL OR username < :end) AND internal = 0
                 ORDER BY username LIMIT :limit)
             UNION
             SELECT username FROM (
                 SELECT username FROM account
                 WHERE display_folded >= :prefix AND (:end IS NULL OR display_folded < :end)
                   AND username > :after AND internal = 0
                 ORDER BY username LIMIT :limit))
         ORDER BY username LIMIT :limit"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map(
        named_params! {
            ":prefix": prefix,
            ":end": end_of(prefix),
            ":after": after.map_or("", Username::as_str),
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
        rows::profile,
    )?;
    found.collect()
}

/// The least text above everything that begins with `prefix`; none if there is no such text.
fn end_of(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_least_text_above_it() {
        assert_eq!(end_of("ada").as_deref(), Some("adb"));
        assert_eq!(end_of("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(end_of("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{10ffff}"), None);
    }
}
