//! What is kept of a user's address, and how it changes: plain functions of the state and the time.

use std::time::Duration;

use super::{CodeMac, EmailAddress};
use crate::time::Moment;

/// How long a code is good.
pub const CODE_LIFE: Duration = Duration::from_secs(15 * 60);
/// Wrong codes that make the right one void.
pub const MAX_WRONG_CODES: u32 = 5;

/// The address of a user. The default is that of one who never gave any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailState {
    /// The address the user has proved.
    pub proved: Option<Proved>,
    /// Others may find the user by it. It is a wish of the user, whatever the address.
    pub discoverable: bool,
    /// The address that waits for its code.
    pub waiting: Option<Waiting>,
}

/// An address that is the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The address.
    pub address: EmailAddress,
    /// The code that proved it, by which a retry is known; none once another was asked for.
    pub proof: Option<CodeMac>,
}

/// An address that waits for its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The address.
    pub address: EmailAddress,
    /// The code.
    pub code: CodeMac,
    /// When it expires.
    pub expires_at: Moment,
    /// Wrong codes so far.
    pub wrong: u32,
}

impl EmailState {
    /// Of an account that comes with an address which another system has proved.
    #[must_use]
    pub fn imported(address: EmailAddress) -> Self {
        Self { proved: Some(Proved { address, proof: None }), ..Self::default() }
    }

    /// As it is `now`: a code that has expired is as if it had never been sent.
    #[must_use]
    pub fn at(mut self, now: Moment) -> Self {
        self.waiting = self.waiting.filter(|waiting| now < waiting.expires_at);
        self
    }

    /// Another code was asked for, which makes all earlier ones void.
    #[must_use]
    pub fn asked(mut self, address: EmailAddress, code: CodeMac, now: Moment) -> Self {
        if let Some(proved) = &mut self.proved {
            proved.proof = None;
        }
        self.waiting = Some(Waiting { address, code, expires_at: now.plus(CODE_LIFE), wrong: 0 });
        self
    }

    /// A code was presented; `is_code` tells whether it is the one of this address and MAC. Answers whether it is
    /// right, and the state after it.
    #[must_use]
    pub fn presented(self, is_code: impl Fn(&EmailAddress, &CodeMac) -> bool, now: Moment) -> (bool, Self) {
        let mut state = self.at(now);
        let Some(mut waiting) = state.waiting.take() else {
            let retried = state.proved.as_ref().is_some_and(|proved| {
                proved.proof.as_ref().is_some_and(|proof| is_code(&proved.address, proof))
            });
            return (retried, state);
        };
        if is_code(&waiting.address, &waiting.code) {
            state.proved = Some(Proved { address: waiting.address, proof: Some(waiting.code) });
            return (true, state);
        }
        waiting.wrong += 1;
        state.waiting = (waiting.wrong < MAX_WRONG_CODES).then_some(waiting);
        (false, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Moment {
        Moment::from_millis(second * 1000)
    }

    fn address(text: &str) -> EmailAddress {
        EmailAddress::new(text).unwrap()
    }

    /// The state after presenting code `n`; the MAC of code `n` is `[n; 32]`.
    fn present(state: &EmailState, n: u8, second: i64) -> (bool, EmailState) {
        state.clone().presented(|_, mac| mac.0 == [n; 32], at(second))
    }

    fn asked(state: EmailState, text: &str, n: u8, second: i64) -> EmailState {
        state.asked(address(text), CodeMac([n; 32]), at(second))
    }

    #[test]
    fn the_right_code_proves_and_a_retry_finds_it_proved() {
        let state = asked(EmailState::default(), "ada@example.org", 1, 0);
        assert_eq!(state.proved, None);
        let (right, proved) = present(&state, 1, 899);
        assert!(right && proved.waiting.is_none() && !proved.discoverable);
        assert_eq!(proved.proved.as_ref().unwrap().address, address("ada@example.org"));
        assert_eq!(present(&proved, 1, 5000), (true, proved.clone()));
        assert_eq!(present(&proved, 2, 899), (false, proved));
    }

    #[test]
    fn a_code_is_void_after_its_time_after_another_and_after_five_wrong_ones() {
        let first = asked(EmailState::default(), "ada@example.org", 1, 0);
        assert_eq!(present(&first, 1, 900), (false, EmailState::default()), "15 minutes are over");
        let second = asked(first.clone(), "ada@example.org", 2, 10);
        assert!(!present(&second, 1, 11).0, "another was asked for");

        let mut state = first;
        for wrong in 1..=5 {
            let (right, next) = present(&state, 9, 1);
            assert!(!right);
            assert_eq!(next.waiting.as_ref().map(|waiting| waiting.wrong), (wrong < 5).then_some(wrong));
            state = next;
        }
        assert!(!present(&state, 1, 2).0, "five wrong ones make it void");
    }

    #[test]
    fn the_present_address_stays_until_the_next_is_proved() {
        let (_, state) = present(&asked(EmailState::default(), "ada@example.org", 1, 0), 1, 1);
        let state = asked(EmailState { discoverable: true, ..state }, "countess@example.org", 2, 10);
        let proved = state.proved.as_ref().unwrap();
        assert_eq!((&proved.address, &proved.proof), (&address("ada@example.org"), &None));
        assert!(!present(&state, 1, 11).0, "the code of the first proves nothing any more");
        let (right, state) = present(&state, 2, 12);
        assert!(right && state.discoverable, "the wish stays");
        assert_eq!(state.proved.unwrap().address, address("countess@example.org"));
    }

    #[test]
    fn what_has_expired_is_not_there() {
        let state = asked(EmailState::default(), "ada@example.org", 1, 0);
        assert_eq!(state.clone().at(at(899)), state);
        assert_eq!(state.at(at(900)), EmailState::default());
    }
}
