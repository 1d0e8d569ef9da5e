//! Sync without a stream: rows first, then people and settings.

use parlor_types::UserId;
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::Problem;

use super::Chat;
use super::reads::ROWS;
use crate::edge;
use crate::store::{AccountPlace, Commit};

/// People in a page.
const PEOPLE: usize = 500;

/// Where a page among people begins: the commit that the whole is as of, and the person told last.
type PeoplePosition = (Commit, (Commit, UserId));

impl Chat {
    pub(super) async fn sync_page(
        &self,
        user: UserId,
        request: wire::SyncRequest,
    ) -> Result<wire::SyncResponse, Problem> {
        let since = edge::decode_cursor(self.deps.store.generation(), &request.cursor)?;
        let (rows, people) = (format!("sync {since:?}"), format!("people since {since:?} of {user}"));
        if let Ok(Some((as_of, told))) = edge::decode_token::<PeoplePosition>(&people, &request.page_token) {
            let place = AccountPlace { since, told: Some(told) };
            return self.with_people(user, as_of, place, &people, wire::SyncResponse::default()).await;
        }
        let rows = self.rows_page(user, since, &rows, &request.page_token, ROWS.1).await?;
        let page = wire::SyncResponse {
            generation: self.generation(),
            conversations: rows.conversations,
            next_page_token: rows.next_page_token,
            ..wire::SyncResponse::default()
        };
        if page.next_page_token.is_empty() {
            self.with_people(user, rows.as_of, AccountPlace::after(since), &people, page).await
        } else {
            Ok(page)
        }
    }

    /// Adds people from `place` on, and what comes at the end if they are the last. What changed after `as_of` may be among
    /// them: whoever is told twice of the same is none the worse for it.
    async fn with_people(
        &self,
        user: UserId,
        as_of: Commit,
        place: AccountPlace,
        list: &str,
        page: wire::SyncResponse,
    ) -> Result<wire::SyncResponse, Problem> {
        let changes = self.deps.store.account(user, place, PEOPLE).await;
        let changes = changes.map_err(edge::read_problem)?;
        let next_page_token = match changes.next.told {
            Some(told) if changes.more => edge::encode_token(list, &(as_of, told)),
            _ => String::new(),
        };
        let cursor =
            if changes.more { Vec::new() } else { edge::encode_cursor(self.deps.store.generation(), as_of) };
        Ok(wire::SyncResponse {
            generation: self.generation(),
            people: changes.people.iter().map(edge::person).collect(),
            privacy: changes.privacy.map(edge::privacy),
            cursor: cursor.into(),
            next_page_token,
            ..page
        })
    }
}
