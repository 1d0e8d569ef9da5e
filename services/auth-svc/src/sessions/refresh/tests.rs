use parlor_types::Id as _;
use proptest::prelude::*;

use super::*;

fn op(n: u8) -> Op {
    Op::from_bytes([n; 16])
}

fn state(generation: u64, login_generation: u64, last_op: Option<Op>) -> RefreshState {
    RefreshState { generation, login_generation, last_op, secret: RowSecret([0; 32]) }
}

#[test]
fn what_each_token_is_worth() {
    let (a, b) = (op(1), op(2));
    let refreshed = state(5, 2, Some(a));
    let logged_in = state(5, 5, None);
    let cases = [
        (refreshed, 5, b, Decision::Advance(6)),
        (refreshed, 5, a, Decision::Advance(6)),
        (refreshed, 4, a, Decision::Repeat(5)),
        (refreshed, 4, b, Decision::Reused),
        (refreshed, 3, a, Decision::Reused),
        (refreshed, 2, a, Decision::Reused),
        (refreshed, 1, a, Decision::Superseded),
        (refreshed, 6, b, Decision::Advance(7)),
        (refreshed, 9, b, Decision::Advance(10)),
        (logged_in, 5, a, Decision::Advance(6)),
        (logged_in, 4, a, Decision::Superseded),
        (logged_in, 0, a, Decision::Superseded),
    ];
    for (state, presented, op, decision) in cases {
        assert_eq!(state.judge(presented, op), decision, "{presented} with {op} on {state:?}");
    }
}

#[test]
fn a_login_gives_up_what_was_before() {
    let after = state(5, 2, Some(op(1))).after_login();
    assert_eq!((after.generation, after.login_generation, after.last_op), (6, 6, None));
    assert_eq!(after.judge(5, op(1)), Decision::Superseded, "also the retry of a lost answer");
}

/// The server: one session, and the copy of its store that a backup holds.
struct Server {
    state: RefreshState,
    backup: RefreshState,
    ended: bool,
}

impl Server {
    fn new() -> Self {
        let state = state(1, 1, None);
        Self { state, backup: state, ended: false }
    }

    /// The next token, or nothing if it is refused.
    fn refresh(&mut self, token: u64, op: Op) -> Option<u64> {
        if self.ended {
            return None;
        }
        match self.state.judge(token, op) {
            Decision::Advance(next) => {
                self.state = self.state.advanced(next, op);
                Some(next)
            }
            Decision::Repeat(next) => Some(next),
            Decision::Superseded => None,
            Decision::Reused => {
                self.ended = true;
                None
            }
        }
    }
}

/// A client that keeps to the rule: save the token and the op before calling, repeat both until an answer comes.
#[derive(Clone)]
struct Client {
    token: u64,
    op: Op,
    next_op: u8,
    salt: u8,
}

impl Client {
    fn new(salt: u8) -> Self {
        Self { token: 1, op: Op::from_bytes([salt; 16]), next_op: 0, salt }
    }

    fn take(&mut self, token: u64) {
        self.token = token;
        self.next_op = self.next_op.wrapping_add(1);
        let mut bytes = [self.salt; 16];
        bytes[0] = self.next_op;
        self.op = Op::from_bytes(bytes);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Refreshes and hears the answer.
    Refresh,
    /// Refreshes; the answer is lost, or the client crashes before it saves it.
    RefreshUnheard,
    /// An earlier request, held up by the network, arrives once more.
    Delayed,
    /// Logs in anew.
    Login,
    Backup,
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Refresh),
        4 => Just(Step::RefreshUnheard),
        2 => Just(Step::Delayed),
        1 => Just(Step::Login),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
    ]
}

proptest! {
    /// An honest client alone is never logged out, whatever is lost, repeated or restored.
    #[test]
    fn one_honest_client_is_never_logged_out(steps in prop::collection::vec(step(), 1..60)) {
        let (mut server, mut client) = (Server::new(), Client::new(7));
        let mut last_sent = None;
        for step in steps {
            match step {
                Step::Refresh => {
                    let next = server.refresh(client.token, client.op);
                    prop_assert!(next.is_some(), "refused {} on {:?}", client.token, server.state);
                    client.take(next.unwrap());
                    last_sent = None;
                }
                Step::RefreshUnheard => {
                    prop_assert!(server.refresh(client.token, client.op).is_some());
                    last_sent = Some((client.token, client.op));
                }
                Step::Delayed => {
                    if let Some((token, op)) = last_sent {
                        server.refresh(token, op);
                        prop_assert!(!server.ended, "a delayed copy ended the session");
                    }
                }
                Step::Login => {
                    server.state = server.state.after_login();
                    client.take(server.state.generation);
                }
                Step::Backup => server.backup = server.state,
                Step::Restore => {
                    server.state = server.backup;
                    last_sent = None;
                }
            }
        }
        prop_assert!(server.refresh(client.token, client.op).is_some());
    }

    /// Two clients with the same token (one of them stole it): once both have used it, the session is over, and until
    /// then only one of them has got anything that the other has not.
    #[test]
    fn two_branches_never_live(
        before in 0_u8..4,
        moves in prop::collection::vec((any::<bool>(), any::<bool>()), 1..40),
    ) {
        let (mut server, mut owner) = (Server::new(), Client::new(7));
        for _ in 0..before {
            let next = server.refresh(owner.token, owner.op).unwrap();
            owner.take(next);
        }
        let mut thief = Client::new(99);
        thief.token = owner.token;
        let mut branches = [owner, thief];
        let mut advanced = [false, false];
        for (second, heard) in moves {
            let who = usize::from(second);
            let branch = &mut branches[who];
            if let Some(next) = server.refresh(branch.token, branch.op) {
                advanced[who] = true;
                if heard {
                    branch.take(next);
                }
            } else {
                prop_assert!(server.ended);
            }
            prop_assert!(!(advanced[0] && advanced[1]), "both branches got a successor");
        }
    }
}
