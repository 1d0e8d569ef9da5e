//! Contacts, blocks and privacy. What the server answers is saved at once; what changes elsewhere comes on the stream.

use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::{
    AcceptContactRequest, BlockUserRequest, GetPrivacyRequest, ListPeopleRequest, PeopleFilter, Person,
    Privacy, RemoveContactRequest, RequestContactRequest, SetPrivacyRequest, UnblockUserRequest,
};

use super::Client;
use super::session::Access;
use crate::core::Mutation;
use crate::error::Error;

/// People in one page.
const PAGE: u32 = 200;

impl Client {
    /// Asks somebody to be a contact, with a few words; accepts if they have asked already.
    ///
    /// # Errors
    /// As `PeopleService.RequestContact`.
    pub async fn request_contact(&self, user: UserId, note: &str) -> Result<Person, Error> {
        let request = RequestContactRequest { user_id: user.to_string(), note: note.to_owned() };
        let call =
            async |access: Access| access.people().request_contact(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        self.person_answered(user, answer.person).await
    }

    /// Accepts somebody's request.
    ///
    /// # Errors
    /// As `PeopleService.AcceptContact`.
    pub async fn accept_contact(&self, user: UserId) -> Result<Person, Error> {
        let request = AcceptContactRequest { user_id: user.to_string() };
        let call =
            async |access: Access| access.people().accept_contact(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        self.person_answered(user, answer.person).await
    }

    /// Ends being contacts, declines a request, or withdraws one.
    ///
    /// # Errors
    /// As `PeopleService.RemoveContact`.
    pub async fn remove_contact(&self, user: UserId) -> Result<Person, Error> {
        let request = RemoveContactRequest { user_id: user.to_string() };
        let call =
            async |access: Access| access.people().remove_contact(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        self.person_answered(user, answer.person).await
    }

    /// Blocks somebody.
    ///
    /// # Errors
    /// As `PeopleService.BlockUser`.
    pub async fn block(&self, user: UserId) -> Result<Person, Error> {
        let request = BlockUserRequest { user_id: user.to_string() };
        let call = async |access: Access| access.people().block_user(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        self.person_answered(user, answer.person).await
    }

    /// Ends a block.
    ///
    /// # Errors
    /// As `PeopleService.UnblockUser`.
    pub async fn unblock(&self, user: UserId) -> Result<Person, Error> {
        let request = UnblockUserRequest { user_id: user.to_string() };
        let call = async |access: Access| access.people().unblock_user(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        self.person_answered(user, answer.person).await
    }

    async fn person_answered(&self, user: UserId, person: Option<Person>) -> Result<Person, Error> {
        let person = person.ok_or(Error::Answer("a person"))?;
        let heard = person.clone();
        self.stored(move |store| store.keep_person(user, &heard)).await?;
        Ok(person)
    }

    /// Contacts, requests or blocked users as the server has them, by user id. Those saved are in
    /// [`Store::people`](crate::store::Store::people).
    ///
    /// # Errors
    /// As `PeopleService.ListPeople`.
    pub async fn people(&self, filter: PeopleFilter) -> Result<Vec<Person>, Error> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListPeopleRequest { filter: filter.into(), page_size: PAGE, page_token };
            let call =
                async |access: Access| access.people().list_people(access.request(request.clone())).await;
            let page = self.session.call(call).await?;
            all.extend(page.people);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let heard = all.clone();
        self.stored(move |store| {
            let known = heard.iter().filter_map(|person| Some((UserId::parse(&person.user_id)?, person)));
            known.into_iter().try_for_each(|(user, person)| store.keep_person(user, person))
        })
        .await?;
        Ok(all)
    }

    /// The privacy settings, fresh from the server.
    ///
    /// # Errors
    /// As `PeopleService.GetPrivacy`.
    pub async fn privacy(&self) -> Result<Privacy, Error> {
        let call =
            async |access: Access| access.people().get_privacy(access.request(GetPrivacyRequest {})).await;
        let answer = self.session.call(call).await?;
        self.privacy_answered(answer.privacy).await
    }

    /// Changes the privacy settings; what is absent or unspecified stays.
    ///
    /// # Errors
    /// As `PeopleService.SetPrivacy`.
    pub async fn set_privacy(&self, changes: SetPrivacyRequest) -> Result<Privacy, Error> {
        let call = async |access: Access| access.people().set_privacy(access.request(changes)).await;
        let answer = self.session.call(call).await?;
        self.privacy_answered(answer.privacy).await
    }

    async fn privacy_answered(&self, privacy: Option<Privacy>) -> Result<Privacy, Error> {
        let privacy = privacy.ok_or(Error::Answer("privacy settings"))?;
        self.stored(move |store| store.apply(&[Mutation::Privacy(privacy)])).await?;
        Ok(privacy)
    }
}
