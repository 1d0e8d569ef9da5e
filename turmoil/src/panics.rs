//! What panicked in a run, in its tasks too, where nobody waits for an answer.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Of the run of this thread, while there is one.
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs it; what panicked meanwhile on this thread, first what panicked first.
pub fn caught<T>(run: impl FnOnce() -> T) -> (Option<T>, Vec<String>) {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_ours = SEEN.with_borrow_mut(|seen| seen.as_mut().map(|seen| seen.push(info.to_string())));
            if is_ours.is_none() {
                before(info);
            }
        }));
    });
    SEEN.set(Some(Vec::new()));
    let outcome = catch_unwind(AssertUnwindSafe(run)).ok();
    (outcome, SEEN.take().unwrap_or_default())
}
