//! Profiles, as last heard.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_types::{Id, UserId};
use parlor_wire::auth::v1::Profile;
use prost::Message as _;
use rusqlite::{OptionalExtension as _, params};

use super::{Result, Store, StoreError};

impl Store {
    /// A profile and when it was asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn profile(&self, user: UserId) -> Result<Option<(Profile, SystemTime)>> {
        let sql = "SELECT profile, asked_at FROM profile WHERE user_id = ?";
        self.read_profile(sql, params![user.bytes()])
    }

    /// The same by user name, in lower case.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn profile_named(&self, username: &str) -> Result<Option<(Profile, SystemTime)>> {
        let sql = "SELECT profile, asked_at FROM profile WHERE username = ? ORDER BY asked_at DESC LIMIT 1";
        self.read_profile(sql, params![username])
    }

    /// Keeps profiles heard at `now`; of two copies the higher version stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_profiles(&self, profiles: &[Profile], now: SystemTime) -> Result<()> {
        let asked_at = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let asked_at = i64::try_from(asked_at).unwrap_or(i64::MAX);
        self.write(|tx| {
            for profile in profiles {
                let Some(user) = UserId::parse(&profile.user_id) else { continue };
                let known: Option<Vec<u8>> = tx
                    .query_row("SELECT profile FROM profile WHERE user_id = ?", [user.bytes()], |row| {
                        row.get(0)
                    })
                    .optional()?;
                let known = known.and_then(|known| Profile::decode(&known[..]).ok());
                let newest =
                    known.as_ref().filter(|known| known.version > profile.version).unwrap_or(profile);
                tx.execute(
                    "INSERT OR REPLACE INTO profile VALUES (?, ?, ?, ?)",
                    params![user.bytes(), newest.username, newest.encode_to_vec(), asked_at],
                )?;
            }
            Ok(())
        })
    }

    fn read_profile(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<(Profile, SystemTime)>> {
        self.read(|tx| {
            let found: Option<(Vec<u8>, i64)> =
                tx.query_row(sql, values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((profile, asked_at)) = found else { return Ok(None) };
            let profile = Profile::decode(&profile[..])
                .map_err(|_| StoreError::Corrupt("a profile that cannot be decoded"))?;
            Ok(Some((profile, UNIX_EPOCH + Duration::from_secs(u64::try_from(asked_at).unwrap_or_default()))))
        })
    }
}
