//! Which refresh token of a session is good: the state machine, pure.
//!
//! Tokens are numbered by generation. Using the newest with an op makes the next; using it again with the same op, as a
//! client does whose answer was lost, makes the same next one. Any other use of an old token means that two parties
//! hold it, and ends the session. Two exceptions need no second party: a token from before the last log-in was
//! given up by that log-in, so it is refused and nothing else; and a token newer than the store knows (its signature
//! is good, so we made it) shows that the store was restored from an older copy, so it is taken as the newest.

use std::fmt;

use parlor_types::Op;

/// Random bytes of a session that its tokens are derived from, together with a key that is not in the store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowSecret(pub [u8; 32]);

impl fmt::Debug for RowSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What is kept of a session's refresh tokens: enough to judge one, nothing to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// The newest token, from 1.
    pub generation: u64,
    /// The token that the last log-in made.
    pub login_generation: u64,
    /// What the use that made `generation` was called; none if a log-in made it.
    pub last_op: Option<Op>,
    /// See [`RowSecret`].
    pub secret: RowSecret,
}

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Good: the state goes on to this generation.
    Advance(u64),
    /// A retry: the answer is this generation again.
    Repeat(u64),
    /// Given up by a later log-in.
    Superseded,
    /// Used by two parties: the session must end.
    Reused,
}

impl RefreshState {
    /// The state after the first log-in of a device.
    #[must_use]
    pub fn new(secret: RowSecret) -> Self {
        Self { generation: 1, login_generation: 1, last_op: None, secret }
    }

    /// The state after a further log-in: all earlier tokens are given up.
    #[must_use]
    pub fn after_login(self) -> Self {
        let generation = self.generation.saturating_add(1);
        Self { generation, login_generation: generation, last_op: None, ..self }
    }

    /// Judges the token `presented`, whose signature is good, used with `op`.
    #[must_use]
    pub fn judge(&self, presented: u64, op: Op) -> Decision {
        if presented < self.login_generation {
            Decision::Superseded
        } else if presented >= self.generation {
            Decision::Advance(presented.saturating_add(1))
        } else if presented.saturating_add(1) == self.generation && self.last_op == Some(op) {
            Decision::Repeat(self.generation)
        } else {
            Decision::Reused
        }
    }

    /// The state after [`Decision::Advance`].
    #[must_use]
    pub fn advanced(self, generation: u64, op: Op) -> Self {
        Self { generation, last_op: Some(op), ..self }
    }
}

#[cfg(test)]
mod tests;
