//! Random histories over both stores at once: SQLite must answer as the model does.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use parlor_types::{Id as _, MediaId};

use super::media::{file, image};
use super::people::{relate, set_privacy};
use super::*;
use crate::conversation::Purpose as Upload;
use crate::people::{Action, Audience, Filter, Person, Privacy, PrivacyChanges, Purpose};
use crate::preferences::Draft;
use crate::store::{AccountPlace, Order, Raised, Related, Slice};

const USERS: usize = 4;
const CONVERSATIONS: usize = 3;
/// Files that entries name, and after them one that none does.
const FILES: [u8; USERS] = [1, 2, 3, 4];
const ALL_FILES: [u8; USERS + 1] = [1, 2, 3, 4, 5];

/// A step; what makes no sense at its time is skipped.
#[derive(Debug, Clone)]
enum Step {
    Append { conversation: usize, sender: usize, what: u8, whom: usize },
    Change { conversation: usize, user: usize, about: u64, delete: bool },
    Mark { conversation: usize, user: usize, received: u64, read: u64 },
    Relate { user: usize, other: usize, action: Action },
    Privacy { user: usize, changes: PrivacyChanges },
    Prefer { conversation: usize, user: usize, changes: PreferenceChanges },
}

fn step() -> impl Strategy<Value = Step> {
    let append = (0..CONVERSATIONS, 0..USERS, 0..11_u8, 0..USERS)
        .prop_map(|(conversation, sender, what, whom)| Step::Append { conversation, sender, what, whom });
    let change = (0..CONVERSATIONS, 0..USERS, 1..16_u64, prop::bool::weighted(0.3))
        .prop_map(|(conversation, user, about, delete)| Step::Change { conversation, user, about, delete });
    let mark = (0..CONVERSATIONS, 0..USERS, 0..20_u64, 0..20_u64)
        .prop_map(|(conversation, user, received, read)| Step::Mark { conversation, user, received, read });
    let audience = || {
        prop::sample::select(vec![
            None,
            Some(Audience::Everyone),
            Some(Audience::Contacts),
            Some(Audience::Nobody),
        ])
    };
    let action = prop::sample::select(vec![
        Action::Request(String::new()),
        Action::Request("hi".to_owned()),
        Action::Accept,
        Action::Remove,
        Action::Block,
        Action::Block,
        Action::Unblock,
    ]);
    let relate =
        (0..USERS, 0..USERS, action).prop_map(|(user, other, action)| Step::Relate { user, other, action });
    let privacy = (0..USERS, any::<bool>(), audience(), audience(), audience(), audience()).prop_map(
        |(user, read_receipts, online, last_seen, direct, groups)| {
            let read_receipts = Some(read_receipts);
            let changes = PrivacyChanges { read_receipts, online, last_seen, direct, groups };
            Step::Privacy { user, changes }
        },
    );
    let prefer = (0..CONVERSATIONS, 0..USERS, preference_changes())
        .prop_map(|(conversation, user, changes)| Step::Prefer { conversation, user, changes });
    prop_oneof![12 => append, 5 => change, 3 => mark, 4 => relate, 1 => privacy, 3 => prefer]
}

fn preference_changes() -> impl Strategy<Value = PreferenceChanges> {
    let flag = any::<Option<bool>>;
    let muted_until = prop::option::of((0..40_u64).prop_map(|seconds| at(Seq(seconds))));
    let draft = prop::option::of(prop::option::of(
        (0..20_u64)
            .prop_map(|seq| Draft { text: "begun".to_owned(), reply_to: (seq > 0).then_some(Seq(seq)) }),
    ));
    let custom_name = prop::option::of(prop::sample::select(vec![String::new(), "Tea".to_owned()]));
    (muted_until, flag(), flag(), flag(), flag(), draft, custom_name).prop_map(
        |(muted_until, pinned, archived, hidden, marked_unread, draft, custom_name)| PreferenceChanges {
            muted_until,
            pinned,
            archived,
            hidden,
            marked_unread,
            draft,
            custom_name,
        },
    )
}

struct Pair {
    model: Arc<dyn Store>,
    real: Arc<dyn Store>,
    users: Vec<UserId>,
    writers: Vec<Writer>,
    /// Cursors of both stores, taken at the same moments.
    cursors: Vec<(Commit, Commit)>,
}

impl Pair {
    async fn run(&mut self, step: &Step) {
        match *step {
            Step::Append { conversation, sender, what, whom } => {
                let number = FILES[whom];
                let (sender, whom) = (self.users[sender], self.users[whom]);
                let writer = &mut self.writers[conversation];
                let Some(state) = &writer.state else {
                    let batch = writer.batch(&[group(sender, &[], Settings::default())]);
                    return self.append(batch).await;
                };
                let content = match what {
                    0 | 1 => Content::Add(vec![whom]),
                    2 => Content::Remove(vec![whom]),
                    3 => Content::Leave(None),
                    4 => Content::Rename(format!("name {}", state.head)),
                    5 => image(sender, number).1,
                    6 => Content::SetAvatar(Some(file(number, Upload::Avatar))),
                    7 => Content::SetAvatar(None),
                    _ => Content::Text(format!("text {}", state.head)),
                };
                if let Ok(content) = state.propose(sender, &content, USERS) {
                    let batch = writer.batch(&[(sender, content)]);
                    self.append(batch).await;
                }
            }
            Step::Change { conversation, user, about, delete } => {
                let (user, writer) = (self.users[user], &mut self.writers[conversation]);
                let content = if delete { Content::Delete } else { Content::Edit(format!("now {about}")) };
                let wanted = vec![(user, Seq(about))];
                let found = self.model.targets(writer.conversation, wanted.clone()).await.unwrap();
                assert_eq!(found, self.real.targets(writer.conversation, wanted).await.unwrap(), "targets");
                let Some(state) = &writer.state else { return };
                let (now, window) = (at(state.head), Duration::from_secs(8));
                let member = state.members.contains_key(&user);
                if member && state.may_change(user, &content, found[0].as_ref(), now, window).is_ok() {
                    let batch = writer.change(user, &content, about);
                    self.append(batch).await;
                }
            }
            Step::Mark { conversation, user, received, read } => {
                let (user, id) = (self.users[user], self.writers[conversation].conversation);
                let model = mark(&self.model, user, id, (received, read)).await;
                let real = mark(&self.real, user, id, (received, read)).await;
                self.cursors.extend(commits(&model).zip(commits(&real)));
                assert_eq!(without_commit(model), without_commit(real));
            }
            Step::Relate { user, other, .. } if user == other => {}
            Step::Relate { user, other, ref action } => {
                let (user, other) = (self.users[user], self.users[other]);
                let model = relate(&self.model, user, other, action.clone()).await;
                let real = relate(&self.real, user, other, action.clone()).await;
                let both = model.as_ref().ok().and_then(|model| model.changed);
                self.cursors.extend(both.zip(real.as_ref().ok().and_then(|real| real.changed)));
                let without_commit = |related: Related| Related { changed: None, ..related };
                assert_eq!(model.map(without_commit), real.map(without_commit));
            }
            Step::Prefer { conversation, user, ref changes } => {
                let (user, writer) = (self.users[user], &self.writers[conversation]);
                let (id, now) = (writer.conversation, at(writer.head()));
                let model = prefer(&self.model, user, id, changes.clone(), now).await;
                let real = prefer(&self.real, user, id, changes.clone(), now).await;
                match (model, real) {
                    (Preferred::Now(model, at_model), Preferred::Now(real, at_real)) => {
                        assert_eq!((&model, at_model.is_some()), (&real, at_real.is_some()));
                        self.cursors.extend(at_model.zip(at_real));
                    }
                    (model, real) => assert_eq!(model, real),
                }
            }
            Step::Privacy { user, ref changes } => {
                let model = set_privacy(&self.model, self.users[user], *changes).await;
                let real = set_privacy(&self.real, self.users[user], *changes).await;
                self.cursors.extend(model.changed.zip(real.changed));
                assert_eq!((model.privacy, model.rows), (real.privacy, real.rows));
                assert_eq!(model.changed.is_some(), real.changed.is_some());
            }
        }
    }

    async fn append(&mut self, batch: Arc<Batch>) {
        let model = append(&self.model, batch.clone()).await.unwrap();
        let real = append(&self.real, batch).await.unwrap();
        assert_eq!(model.withheld, real.withheld, "withheld");
        assert_eq!(model.returned, real.returned, "brought back or told");
        assert_eq!(model.released, real.released, "files that are named no more");
        assert_eq!(model.not_members, real.not_members, "no members then");
        self.cursors.push((model.commit, real.commit));
    }

    async fn compare(&self) {
        for user in &self.users {
            for (model, real) in &self.cursors {
                let model = self.model.changed(*user, *model).await.unwrap().1;
                let real = self.real.changed(*user, *real).await.unwrap().1;
                let ids = |list: &[crate::store::Changed]| list.iter().map(|row| row.id).collect::<Vec<_>>();
                assert_eq!(ids(&model), ids(&real), "changed");
            }
            let all: Vec<ConversationId> = self.writers.iter().map(|writer| writer.conversation).collect();
            let rows = self.model.rows(*user, all.clone()).await.unwrap();
            assert_eq!(rows, self.real.rows(*user, all.clone()).await.unwrap(), "rows");
            let wanted: Vec<_> = all.iter().map(|id| (*id, self.users[1..].to_vec())).collect();
            let receipts = self.model.receipts(*user, wanted.clone()).await.unwrap();
            assert_eq!(receipts, self.real.receipts(*user, wanted).await.unwrap(), "receipts");
            for id in all {
                let audience = self.model.audience(*user, id).await.unwrap();
                assert_eq!(audience, self.real.audience(*user, id).await.unwrap(), "audience");
                self.compare_pages(*user, id).await;
                for seq in (0..12).map(Seq) {
                    let reached = self.model.reached(*user, id, seq).await.unwrap();
                    assert_eq!(reached, self.real.reached(*user, id, seq).await.unwrap(), "reached {seq}");
                }
            }
            for now in [0, 10, 20, 40].map(|seconds| at(Seq(seconds))) {
                let badge = self.model.badge(*user, now).await.unwrap();
                assert_eq!(badge, self.real.badge(*user, now).await.unwrap(), "badge");
            }
        }
        for user in &self.users {
            self.compare_people(*user).await;
        }
        self.compare_media().await;
        let counts = self.model.memberships(self.users.clone()).await.unwrap();
        assert_eq!(counts, self.real.memberships(self.users.clone()).await.unwrap());
        for writer in &self.writers {
            let model = self.model.load(writer.conversation, Seq(2)).await.unwrap();
            assert_eq!(model, self.real.load(writer.conversation, Seq(2)).await.unwrap(), "load");
            assert_eq!(
                model.map(|snapshot| snapshot.state),
                writer.state,
                "the state is the fold of the log"
            );
        }
    }

    async fn compare_people(&self, user: UserId) {
        for filter in [Filter::All, Filter::Contacts, Filter::Requests, Filter::Blocked] {
            for (after, most) in [(None, 100), (None, 2), (Some(self.users[1]), 1)] {
                let model = self.model.people(user, filter, after, most).await.unwrap();
                assert_eq!(model, self.real.people(user, filter, after, most).await.unwrap(), "{filter:?}");
            }
        }
        assert_eq!(self.model.privacy(user).await.unwrap(), self.real.privacy(user).await.unwrap());
        for id in self.writers.iter().map(|writer| writer.conversation) {
            for purpose in [Purpose::Direct, Purpose::Group] {
                let model = self.model.acceptance(user, id, purpose, self.users.clone()).await.unwrap();
                let real = self.real.acceptance(user, id, purpose, self.users.clone()).await.unwrap();
                assert_eq!(model, real, "acceptance");
            }
        }
        let seen = self.model.visibility(user, self.users.clone()).await.unwrap();
        assert_eq!(seen, self.real.visibility(user, self.users.clone()).await.unwrap(), "visibility");
        for (model, real) in [(Commit(0), Commit(0))].iter().chain(&self.cursors) {
            for most in [1, 100] {
                let model = changes(&self.model, user, *model, most).await;
                assert_eq!(model, changes(&self.real, user, *real, most).await, "changes of people");
            }
        }
    }

    async fn compare_media(&self) {
        let files = || ALL_FILES.map(|number| MediaId::from_bytes([number; 16])).to_vec();
        for user in &self.users {
            let readable = self.model.readable_media(*user, files()).await.unwrap();
            assert_eq!(readable, self.real.readable_media(*user, files()).await.unwrap(), "readable files");
            for id in self.writers.iter().map(|writer| writer.conversation) {
                let is_member = self.model.is_member(*user, id).await.unwrap();
                assert_eq!(is_member, self.real.is_member(*user, id).await.unwrap(), "membership");
            }
        }
        let referenced = self.model.referenced_media(files()).await.unwrap();
        assert_eq!(referenced, self.real.referenced_media(files()).await.unwrap(), "referenced files");
    }

    async fn compare_pages(&self, user: UserId, id: ConversationId) {
        for order in [Order::Ascending, Order::Descending] {
            for (from, to, max_entries) in [(1, 100, 100), (3, 9, 2), (1, 100, 4), (6, 6, 1)] {
                for across_gaps in [true, false] {
                    let (from, to) = (Seq(from), Seq(to));
                    let slice = Slice { from, to, order, across_gaps, max_entries, max_bytes: 200 };
                    let model = self.model.read(user, id, slice).await.unwrap();
                    assert_eq!(model, self.real.read(user, id, slice).await.unwrap(), "{slice:?}");
                }
            }
        }
    }
}

/// All parts, without their commits.
async fn changes(
    store: &Arc<dyn Store>,
    user: UserId,
    since: Commit,
    most: usize,
) -> Vec<(Vec<Person>, Option<Privacy>)> {
    let (mut place, mut parts) = (AccountPlace::after(since), Vec::new());
    loop {
        let part = store.account(user, place, most).await.unwrap();
        parts.push((part.people, part.privacy));
        place = part.next;
        if !part.more {
            return parts;
        }
    }
}

fn commits(marked: &Marked) -> Option<Commit> {
    match marked {
        Marked::Now(_, raised) => raised.as_ref().map(|raised| raised.commit),
        Marked::Ahead | Marked::NotFound => None,
    }
}

/// Commits are numbers of one store.
fn without_commit(marked: Marked) -> Marked {
    match marked {
        Marked::Now(own, Some(mut raised)) => {
            raised.others.sort();
            Marked::Now(own, Some(Raised { commit: Commit(0), ..raised }))
        }
        other => other,
    }
}

#[test]
fn sqlite_answers_as_the_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (model, real) = (memory(), sqlite());
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(step(), 1..50);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        let mut pair = Pair {
            model: model.store.clone(),
            real: real.store.clone(),
            users: (0..USERS).map(|_| UserId::new()).collect(),
            writers: (0..CONVERSATIONS).map(|_| Writer::new()).collect(),
            cursors: Vec::new(),
        };
        runtime.block_on(async {
            for step in &steps {
                pair.run(step).await;
            }
            pair.compare().await;
        });
        Ok(())
    });
    outcome.unwrap();
}
