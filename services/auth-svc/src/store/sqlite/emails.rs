//! The table `email`.

use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, Row, named_params, params};
use parlor_types::UserId;

use super::rows::{self, Column, PROFILE};
use crate::emails::{CodeMac, EmailAddress, EmailState, Proved, Waiting};
use crate::profiles::Profile;
use crate::time::Moment;

pub(super) fn of(connection: &Connection, user: UserId) -> Result<EmailState> {
    let sql =
        "SELECT address, compared, proof, discoverable, waiting, waiting_compared, code, code_expires_at,
                      wrong_codes
               FROM email WHERE user_id = ?1";
    let state = connection.prepare_cached(sql)?.query_row([Column(user)], state).optional()?;
    Ok(state.unwrap_or_default())
}

fn state(row: &Row<'_>) -> Result<EmailState> {
    let proved = match row.get(0)? {
        Some(typed) => Some(Proved {
            address: EmailAddress::stored(typed, row.get(1)?),
            proof: row.get::<_, Option<[u8; 32]>>(2)?.map(CodeMac),
        }),
        None => None,
    };
    let waiting = match row.get(4)? {
        Some(typed) => Some(Waiting {
            address: EmailAddress::stored(typed, row.get(5)?),
            code: CodeMac(row.get(6)?),
            expires_at: row.get(7)?,
            wrong: row.get(8)?,
        }),
        None => None,
    };
    Ok(EmailState { proved, discoverable: row.get(3)?, waiting })
}

pub(super) fn is_proved(connection: &Connection, compared: &str) -> Result<bool> {
    connection.prepare_cached("SELECT 1 FROM email WHERE compared = ?1")?.exists([compared])
}

/// Takes a proved address from whoever else has it.
pub(super) fn put(connection: &Connection, user: UserId, state: &EmailState) -> Result<()> {
    if *state == EmailState::default() {
        let sql = "DELETE FROM email WHERE user_id = ?1";
        return connection.prepare_cached(sql)?.execute([Column(user)]).map(drop);
    }
    let (proved, waiting) = (state.proved.as_ref(), state.waiting.as_ref());
    if let Some(proved) = proved {
        let sql = "UPDATE email SET address = NULL, compared = NULL, proof = NULL
                   WHERE compared = ?1 AND user_id <> ?2";
        connection.prepare_cached(sql)?.execute(params![proved.address.compared(), Column(user)])?;
    }
    let sql = "INSERT OR REPLACE INTO email (user_id, address, compared, proof, discoverable, waiting,
                                             waiting_compared, code, code_expires_at, wrong_codes)
               VALUES (:user_id, :address, :compared, :proof, :discoverable, :waiting, :waiting_compared, :code,
                       :code_expires_at, :wrong_codes)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":user_id": Column(user),
        ":address": proved.map(|proved| proved.address.as_typed()),
        ":compared": proved.map(|proved| proved.address.compared()),
        ":proof": proved.and_then(|proved| proved.proof.as_ref()).map(|proof| proof.0),
        ":discoverable": state.discoverable,
        ":waiting": waiting.map(|waiting| waiting.address.as_typed()),
        ":waiting_compared": waiting.map(|waiting| waiting.address.compared()),
        ":code": waiting.map(|waiting| waiting.code.0),
        ":code_expires_at": waiting.map(|waiting| waiting.expires_at),
        ":wrong_codes": waiting.map(|waiting| waiting.wrong),
    })?;
    Ok(())
}

pub(super) fn profile(connection: &Connection, compared: &str) -> Result<Option<Profile>> {
    let sql = format!(
        "SELECT {PROFILE} FROM account WHERE user_id =
             (SELECT user_id FROM email INDEXED BY email_findable WHERE compared = ?1 AND discoverable = 1)"
    );
    connection.prepare_cached(&sql)?.query_row([compared], rows::profile).optional()
}

/// Rows that hold nothing any more go with what they held.
pub(super) fn forget_unproved(connection: &Connection, before: Moment) -> Result<()> {
    let sql = "DELETE FROM email WHERE code_expires_at < ?1 AND address IS NULL AND discoverable = 0";
    connection.prepare_cached(sql)?.execute([before])?;
    let sql = "UPDATE email SET waiting = NULL, waiting_compared = NULL, code = NULL, code_expires_at = NULL,
                                wrong_codes = NULL
               WHERE code_expires_at < ?1";
    connection.prepare_cached(sql)?.execute([before]).map(drop)
}
