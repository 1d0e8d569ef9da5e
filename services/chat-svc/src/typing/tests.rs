use parlor_types::Id as _;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn user(number: u16) -> UserId {
    let [high, low] = number.to_be_bytes();
    UserId::from_bytes([1, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn place(number: u16) -> ConversationId {
    let [high, low] = number.to_be_bytes();
    ConversationId::from_bytes([2, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// Ada is user 0; what she does is in place 0, and seen by users 1 and 2.
struct World {
    typists: Typists,
    start: Instant,
}

impl World {
    fn new() -> Self {
        Self { typists: Typists::default(), start: Instant::now() }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.start + Duration::from_secs_f64(seconds)
    }

    fn says(&mut self, seconds: f64, activity: Option<Activity>) -> Said {
        self.typists.said(self.at(seconds), user(0), place(0), activity)
    }

    fn asks(&mut self, seconds: f64) -> Option<Ask> {
        match self.says(seconds, Some(Activity::Typing)) {
            Said::Ask(ask) => Some(ask),
            Said::Nothing | Said::NotThere => None,
            Said::Tell(told) => panic!("nothing was asked: {told:?}"),
        }
    }

    fn types(&mut self, seconds: f64) -> Option<Told> {
        let ask = self.asks(seconds)?;
        self.typists.found(self.at(seconds), ask, Some(vec![user(1), user(2)]))
    }

    fn seen_by(&self, seconds: f64, number: u16) -> usize {
        self.typists.seen_by(self.at(seconds), user(number)).len()
    }
}

#[test]
fn it_is_told_to_the_audience_for_six_seconds() {
    let mut world = World::new();
    let told = world.types(0.0).unwrap();
    assert_eq!((told.activity, told.until), (Some(Activity::Typing), world.at(6.0)));
    assert_eq!(*told.audience, [user(1), user(2)]);
    assert_eq!((world.seen_by(5.9, 1), world.seen_by(6.0, 1)), (1, 0));
    assert_eq!((world.seen_by(1.0, 0), world.seen_by(1.0, 3)), (0, 0), "not to oneself, nor to others");
}

#[test]
fn a_flood_is_shown_once_each_three_seconds() {
    let mut world = World::new();
    let shown: Vec<u32> = (0..3_000).filter(|tick| world.types(f64::from(*tick) / 100.0).is_some()).collect();
    let expected: Vec<u32> = (0..=10).map(|time| if time == 0 { 0 } else { time * 300 - 50 }).collect();
    assert_eq!(shown, expected, "in hundredths of a second, over 30 s");
    let mut world = World::new();
    let rhythm = [0.0, 2.9, 6.1, 8.9, 12.0];
    assert!(rhythm.iter().all(|at| world.types(*at).is_some()), "a rhythm that the network bent");
}

#[test]
fn a_stop_is_told_only_if_something_is_shown_and_brings_no_new_start() {
    let mut world = World::new();
    assert_eq!(world.says(0.0, None), Said::Nothing);
    world.types(0.0);
    let Said::Tell(told) = world.says(1.0, None) else { panic!("others are to be told") };
    assert_eq!((told.activity, &*told.audience), (None, &[user(1), user(2)][..]));
    assert_eq!(world.says(1.1, None), Said::Nothing);
    assert_eq!(world.seen_by(1.1, 1), 0);
    assert_eq!(world.types(1.2), None, "the rate holds across stops");
    assert!(world.types(3.0).is_some());
}

#[test]
fn a_stop_or_a_message_overtakes_the_question_who_may_see_it() {
    let mut world = World::new();
    let ask = world.asks(0.0).unwrap();
    assert_eq!(world.says(0.1, None), Said::Nothing);
    assert_eq!(world.typists.found(world.at(0.2), ask, Some(vec![user(1)])), None);
    let ask = world.asks(3.0).unwrap();
    assert_eq!(world.typists.wrote(user(0), place(0)), None, "nobody was told");
    let next = world.asks(3.1).expect("a message begins anew");
    assert_eq!(world.typists.found(world.at(3.2), ask, Some(vec![user(1)])), None, "the older question");
    assert!(world.typists.found(world.at(3.3), next, Some(vec![user(1)])).is_some());
    assert_eq!(world.typists.wrote(user(0), place(0)).as_deref(), Some(&[user(1)][..]));
    assert_eq!(world.seen_by(3.4, 1), 0);
}

#[test]
fn g7_who_leaves_sees_nothing_more_and_is_seen_no_more() {
    let mut world = World::new();
    world.types(0.0);
    let ask = world.asks(3.0).unwrap();
    assert_eq!(world.typists.left(user(1), place(1)), None, "another conversation");
    assert_eq!(world.seen_by(3.0, 1), 1);
    assert_eq!(world.typists.left(user(1), place(0)), None, "they did not type");
    assert_eq!(world.seen_by(3.0, 1), 0, "G7");
    let told = world.typists.found(world.at(3.1), ask, Some(vec![user(1), user(2)])).unwrap();
    assert_eq!(*told.audience, [user(2)], "G7: the answer was older than the removal");
    let ended = world.typists.left(user(0), place(0)).unwrap();
    assert_eq!((ended.activity, &*ended.audience), (None, &[user(2)][..]));
    assert_eq!(world.seen_by(3.2, 2), 0);
}

#[test]
fn two_who_part_see_nothing_more_of_each_other() {
    let mut world = World::new();
    world.types(0.0);
    let ask = world.asks(3.0).unwrap();
    let ended = world.typists.parted(user(1), user(0));
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].typist, ended[0].activity, &*ended[0].audience), (user(0), None, &[user(1)][..]));
    assert_eq!((world.seen_by(3.0, 1), world.seen_by(3.0, 2)), (0, 1));
    let told = world.typists.found(world.at(3.1), ask, Some(vec![user(1), user(2)])).unwrap();
    assert_eq!(*told.audience, [user(2)], "the answer was older than the block");
    assert_eq!(world.typists.parted(user(1), user(0)), [], "nothing was shown");
}

#[test]
fn g8_what_is_remembered_is_bounded_and_forgotten() {
    let mut world = World::new();
    let now = world.start;
    let mut asked = 0;
    for typist in 0..1_000 {
        for conversation in 0..20 {
            let said = world.typists.said(now, user(typist), place(conversation), Some(Activity::Recording));
            if let Said::Ask(ask) = said {
                asked += 1;
                world.typists.found(now, ask, Some(vec![user(9_999)]));
            }
        }
    }
    assert_eq!(asked, 10_000, "G8: 16 of a user, 10,000 in all");
    assert_eq!(world.typists.sizes(), (10_000, 10_000));
    assert_eq!((world.typists.seen_by(now, user(9_999)).len(), world.typists.seen()), (10_000, (1, 10_000)));
    world.typists.expire(now + SHOWN - SECOND);
    assert_eq!(world.typists.sizes(), (10_000, 10_000));
    world.typists.expire(now + SHOWN);
    assert_eq!((world.typists.sizes(), world.typists.seen()), ((0, 0), (0, 0)));
}

#[test]
fn g8_a_conversation_that_is_not_there_is_looked_for_no_more_often() {
    let mut world = World::new();
    let ask = world.asks(0.0).unwrap();
    assert_eq!(world.says(0.1, Some(Activity::Typing)), Said::Nothing, "not known yet");
    assert_eq!(world.typists.found(world.at(0.2), ask, None), None);
    for tick in 0..20 {
        let at = 0.3 + f64::from(tick) / 10.0;
        assert_eq!(world.says(at, Some(Activity::Typing)), Said::NotThere, "G8: from memory");
    }
    let ask = world.asks(2.5).expect("it is due");
    assert_eq!(world.typists.found(world.at(2.6), ask, None), None);
    world.typists.joined(user(0), place(0));
    assert!(world.types(2.7).is_some(), "it is there now");

    let mut world = World::new();
    let ask = world.asks(0.0).unwrap();
    world.typists.joined(user(0), place(0));
    assert_eq!(world.typists.found(world.at(0.1), ask, None), None);
    assert!(world.types(0.2).is_some(), "the answer was older than the membership");

    let mut world = World::new();
    let guess = |world: &mut World, number| {
        let said = world.typists.said(world.start, user(0), place(number), Some(Activity::Typing));
        let Said::Ask(ask) = said else { return false };
        world.typists.found(world.start, ask, None);
        true
    };
    let looked_for = (0..1_000).filter(|number| guess(&mut world, *number)).count();
    assert_eq!((looked_for, world.typists.sizes()), (16, (16, 16)), "G8: also of those guessed one by one");
    world.typists.expire(world.at(3.0));
    assert_eq!(world.typists.sizes(), (0, 0), "G8");
}

/// Whatever ends what is shown, whoever opens a stream finds what is left of it and nothing else is kept.
#[test]
fn g8_what_is_seen_no_more_is_forgotten() {
    let mut world = World::new();
    assert!(world.types(0.0).is_some() && world.types(3.0).is_some());
    assert_eq!(world.typists.seen(), (2, 2), "shown again to the same");
    world.says(3.1, None);
    assert_eq!(world.typists.seen(), (0, 0), "a stop");
    world.types(6.0);
    world.typists.wrote(user(0), place(0));
    assert_eq!(world.typists.seen(), (0, 0), "a message");
    world.types(9.0);
    world.typists.left(user(1), place(0));
    assert_eq!(world.typists.seen(), (1, 1), "a viewer who leaves");
    world.typists.parted(user(2), user(0));
    assert_eq!(world.typists.seen(), (0, 0), "two who part");
    world.types(12.0);
    world.typists.left(user(0), place(0));
    assert_eq!(world.typists.seen(), (0, 0), "a typist who leaves");
    world.types(15.0);
    let elsewhere = world.typists.said(world.at(30.0), user(0), place(1), Some(Activity::Typing));
    assert_eq!((matches!(elsewhere, Said::Ask(_)), world.typists.seen()), (true, (0, 0)), "long ago");
}

#[test]
fn while_the_store_is_away_it_is_asked_no_more_often() {
    let mut world = World::new();
    let ask = world.asks(0.0).unwrap();
    world.typists.not_found(ask);
    assert_eq!(world.asks(1.0), None);
    assert!(world.types(3.0).is_some());
}
