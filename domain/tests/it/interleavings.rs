//! Two who want one address: every order of their steps, with crashes, repeated and late messages, and a holder who lets go.

use std::collections::{HashMap, HashSet};

use domain::actor::{Actor, Client, Role, Roles};
use domain::address::{self, Asked, Claimed, Next, Pursuit, Reply, Trace};
use domain::aggregate::{Aggregate, Facts, Limits};
use domain::command::{Answer, Ask, Command, Patch};
use domain::id::{AddressId, ClaimId, UserId};
use domain::position::Position;
use domain::refusal::Code;
use domain::timestamp::Timestamp;
use domain::user::{self, User, onboarding, profile};
use domain::username::Username;
use uuid::Uuid;

const ADDRESS: &str = "wanted@example.com";

fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

/// The claim with this number, made just now.
fn claim(number: u64) -> ClaimId {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    ClaimId::from_uuid(uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000, &bytes).into_uuid())
}

fn id(name: &str) -> UserId {
    UserId::of(&Username::parse(name).unwrap())
}

fn administrator() -> Actor {
    Actor::User { id: id("ada"), name: "ada".into(), roles: Roles::BASE.with(Role::Administrator) }
}

fn command(name: &str, actor: Actor, asked: user::Command) -> Command {
    Command {
        id: format!("{} of {name}", asked.name()),
        actor,
        client: Client::default(),
        correlation_id: String::new(),
        traceparent: None,
        ask: Ask::User { id: id(name), expected_version: None, command: asked },
        made: None,
        claim: None,
        seen: Position::new(),
    }
}

fn registration(name: &str, email: &str) -> user::Command {
    user::Command::RegisterUser(onboarding::RegisterUser {
        username: name.into(),
        first_name: "A".into(),
        last_name: "B".into(),
        email: email.into(),
        phone: None,
    })
}

fn register(name: &str) -> Command {
    command(name, Actor::Anonymous, registration(name, ADDRESS))
}

fn address_of(name: &str, email: Patch<String>) -> Command {
    let asked = profile::UpdateProfile { email, ..profile::UpdateProfile::default() };
    command(name, administrator(), user::Command::UpdateProfile(asked))
}

/// What the owners hold. Each question is decided and written in one step, as in a transaction.
#[derive(Clone, Default)]
struct Owners {
    trace: Option<Trace>,
    users: HashMap<UserId, User>,
    done: HashSet<(UserId, String)>,
    void: HashSet<ClaimId>,
    /// How many claims were made so far; no two are the same.
    claims: u64,
}

impl Owners {
    fn user(&mut self, id: UserId) -> &mut User {
        self.users.entry(id).or_insert_with(|| User::nobody(id))
    }

    fn holders(&self) -> usize {
        self.users.values().filter(|user| user.holds_address(AddressId::of(ADDRESS))).count()
    }

    fn write(&mut self, id: UserId, events: &[user::Event]) {
        for event in events {
            self.user(id).evolve(event, now());
        }
    }

    /// What the command service does, with these few facts in place of a log.
    fn decide(&mut self, asked: &Command) -> Answer {
        match &asked.ask {
            Ask::Claim { claim, holder, over, .. } => {
                Answer::OfAddress(match address::claim(self.trace, *claim, *holder, *over) {
                    Claimed::Written(trace) => {
                        self.trace = Some(trace);
                        Reply::Granted
                    }
                    Claimed::Already => Reply::Granted,
                    Claimed::Contested(trace) => Reply::Contested(trace),
                })
            }
            Ask::LetGo { id, address, claim, to, insists } => {
                let is_void = claim.is_some_and(|claim| self.void.contains(&claim));
                let to = (*to, &asked.actor);
                Answer::OfAddress(
                    match address::let_go(self.user(*id), *address, *claim, is_void, to, *insists, now()) {
                        Asked::Held => Reply::Held,
                        Asked::Undecided => Reply::Undecided,
                        Asked::Free { gives_way, void } => {
                            self.void.extend(void);
                            if let Some(decision) = gives_way {
                                self.write(*id, decision.events());
                            }
                            Reply::Free
                        }
                    },
                )
            }
            Ask::User { id, command, .. } => self.decide_user(*id, command, asked),
            Ask::Group { .. } | Ask::Barrier { .. } => unreachable!("no group is asked here"),
        }
    }

    fn decide_user(&mut self, id: UserId, what: &user::Command, asked: &Command) -> Answer {
        let accepted = Answer::Accepted { version: 0, position: Position::new(), repeated: false };
        if self.done.contains(&(id, asked.id.clone())) {
            return accepted;
        }
        let facts = Facts { now: now(), group: None, made: None, limits: Limits::default() };
        let decision = match self.user(id).decide(what, &facts) {
            Ok(decision) => decision,
            Err(refusals) => return Answer::Refused(refusals),
        };
        let moved = address::moves(self.user(id), decision.events(), now());
        if let Some(address) = moved.and_then(address::Moved::taken)
            && !asked
                .claim
                .is_some_and(|claim| claim.is_for(address, now()) && !self.void.contains(&claim.id))
        {
            return Answer::OfAddress(Reply::ClaimNeeded(address));
        }
        self.write(id, decision.events());
        self.done.insert((id, asked.id.clone()));
        accepted
    }
}

/// One who wants the address.
#[derive(Clone)]
enum Seeker {
    /// Has a question on its way.
    Asks(Box<Pursuit>),
    /// Has an answer on its way.
    Hears(Box<Pursuit>, Answer),
    /// Has an answer to the command.
    Knows(Answer),
    /// Crashed, or gave up.
    Gone,
}

#[derive(Clone)]
struct World {
    owners: Owners,
    seekers: Vec<Seeker>,
    /// Questions that may still arrive, from those who crashed or asked twice.
    late: Vec<Command>,
    crashes: u8,
    repeats: u8,
    /// How often a claim that may be on its way is made void all the same.
    impatience: u8,
    /// What the holder may do once, at any time.
    lets_go: Option<Command>,
}

impl World {
    fn of(mut owners: Owners, commands: Vec<Command>) -> Self {
        let begin = |command: Command| {
            owners.claims += 1;
            let pursuit = Pursuit::of(&command, claim(owners.claims), |_, _| false).unwrap();
            Seeker::Asks(Box::new(pursuit))
        };
        let seekers = commands.into_iter().map(begin).collect();
        let (late, lets_go) = (Vec::new(), None);
        Self { owners, seekers, late, crashes: 0, repeats: 0, impatience: 2, lets_go }
    }

    /// Everything that may happen next.
    fn next(&self) -> Vec<Self> {
        let mut worlds = Vec::new();
        for at in 0..self.seekers.len() {
            match &self.seekers[at] {
                Seeker::Asks(pursuit) => {
                    let question = pursuit.question();
                    let mut answered = self.clone();
                    let answer = answered.owners.decide(&question);
                    answered.seekers[at] = Seeker::Hears(pursuit.clone(), answer);
                    if self.repeats > 0 {
                        let mut twice = answered.clone();
                        twice.repeats -= 1;
                        twice.late.push(question.clone());
                        worlds.push(twice);
                    }
                    worlds.push(answered);
                    if self.crashes > 0 {
                        let mut crashed = self.clone();
                        crashed.crashes -= 1;
                        crashed.seekers[at] = Seeker::Gone;
                        worlds.push(crashed.clone());
                        crashed.late.push(question);
                        worlds.push(crashed);
                    }
                }
                Seeker::Hears(pursuit, answer) => {
                    let mut heard = self.clone();
                    if matches!(answer, Answer::OfAddress(Reply::ClaimNeeded(_))) {
                        heard.owners.claims += 1;
                    }
                    heard.seekers[at] = heard.hears(pursuit.as_ref().clone(), answer);
                    worlds.push(heard);
                    // Waiting in vain until patience ends is the same as being asked once, as late as one likes.
                    if self.impatience > 0 && *answer == Answer::OfAddress(Reply::Undecided) {
                        let mut insists = self.clone();
                        insists.impatience -= 1;
                        insists.seekers[at] = insists.hears(insisting(pursuit), answer);
                        worlds.push(insists);
                    }
                    if self.crashes > 0 {
                        let mut crashed = self.clone();
                        crashed.crashes -= 1;
                        crashed.seekers[at] = Seeker::Gone;
                        worlds.push(crashed);
                    }
                }
                Seeker::Knows(_) | Seeker::Gone => {}
            }
        }
        for at in 0..self.late.len() {
            let mut arrived = self.clone();
            let question = arrived.late.remove(at);
            arrived.owners.decide(&question);
            worlds.push(arrived);
        }
        if let Some(lets_go) = &self.lets_go {
            let mut gone = self.clone();
            gone.lets_go = None;
            gone.owners.decide(lets_go);
            worlds.push(gone);
        }
        worlds
    }

    fn hears(&self, pursuit: Pursuit, answer: &Answer) -> Seeker {
        match pursuit.heard(answer.clone(), claim(self.owners.claims)) {
            Next::Ask(pursuit) => Seeker::Asks(pursuit),
            Next::Over(answer) => Seeker::Knows(answer),
            Next::GiveUp => Seeker::Gone,
        }
    }

    /// What tells two worlds apart. Numbers of claims that nobody has seen yet don't.
    fn key(&self) -> String {
        let seekers: Vec<String> = self
            .seekers
            .iter()
            .map(|seeker| match seeker {
                Seeker::Asks(pursuit) => {
                    format!("? {:?}", (pursuit.question().ask, pursuit.question().claim))
                }
                Seeker::Hears(pursuit, answer) => format!("! {:?} {answer:?}", pursuit.question().ask),
                Seeker::Knows(answer) => format!(". {answer:?}"),
                Seeker::Gone => String::new(),
            })
            .collect();
        let mut late: Vec<String> =
            self.late.iter().map(|late| format!("{:?}{:?}", late.ask, late.claim)).collect();
        late.sort();
        let mut users: Vec<String> = self.owners.users.values().map(|user| format!("{user:?}")).collect();
        users.sort();
        let mut void: Vec<_> = self.owners.void.iter().map(ToString::to_string).collect();
        void.sort();
        let budget = (self.crashes, self.repeats, self.impatience, self.lets_go.is_some());
        format!("{:?}{users:?}{void:?}{seekers:?}{late:?}{budget:?}", self.owners.trace)
    }

    fn winners(&self) -> usize {
        let won = |seeker: &&Seeker| matches!(seeker, Seeker::Knows(Answer::Accepted { .. }));
        self.seekers.iter().filter(won).count()
    }

    fn losers(&self) -> usize {
        let lost = |seeker: &&Seeker| match seeker {
            Seeker::Knows(Answer::Refused(refusals)) => refusals[0].code == Code::EmailTaken,
            _ => false,
        };
        self.seekers.iter().filter(lost).count()
    }
}

/// The pursuit when it has waited for so long that the next time it insists.
fn insisting(pursuit: &Pursuit) -> Pursuit {
    let mut pursuit = pursuit.clone();
    loop {
        let Next::Ask(next) = pursuit.clone().heard(Answer::OfAddress(Reply::Undecided), claim(0)) else {
            unreachable!("a pursuit waits")
        };
        if matches!(next.question().ask, Ask::LetGo { insists: true, .. }) {
            return pursuit;
        }
        pursuit = *next;
    }
}

/// Walks through every world that can come of this one; `at_the_end` looks at those in which nothing more happens.
fn walk(begin: World, at_the_end: impl Fn(&World)) -> usize {
    let mut seen = HashSet::from([begin.key()]);
    let mut open = vec![begin];
    while let Some(world) = open.pop() {
        assert!(world.owners.holders() <= 1, "two hold one address: {}", world.key());
        let next = world.next();
        if next.is_empty() {
            at_the_end(&world);
        }
        open.extend(next.into_iter().filter(|world| seen.insert(world.key())));
        assert!(seen.len() < 2_000_000, "the walk does not come to an end");
    }
    seen.len()
}

/// The user holds the address, by a claim that was granted in the regular way.
fn held_by(name: &str) -> Owners {
    let mut world = World::of(Owners::default(), vec![register(name)]);
    while let Some(next) = world.next().pop() {
        world = next;
    }
    assert_eq!((world.winners(), world.owners.holders()), (1, 1));
    world.owners
}

#[test]
fn of_two_registrations_one_wins_whatever_the_order() {
    let worlds = walk(World::of(Owners::default(), vec![register("alice"), register("bob")]), |end| {
        assert_eq!(end.owners.holders(), 1);
        assert_eq!((end.winners(), end.losers()), (1, 1));
    });
    assert!(worlds > 50, "{worlds}");
}

#[test]
fn no_crash_and_no_late_or_repeated_message_gives_an_address_to_two() {
    let mut begin = World::of(Owners::default(), vec![register("alice"), register("bob")]);
    (begin.crashes, begin.repeats) = (1, 1);
    let worlds = walk(begin, |end| {
        // Whoever was told so holds it.
        assert!(end.winners() <= end.owners.holders());
        assert!(end.losers() == 0 || end.owners.holders() == 1);
    });
    assert!(worlds > 1_000, "{worlds}");
}

#[test]
fn an_address_that_is_let_go_in_the_middle_has_one_holder_afterwards_or_none_who_was_told_so() {
    let mut begin = World::of(held_by("carol"), vec![register("alice"), register("bob")]);
    begin.lets_go = Some(address_of("carol", Patch::Clear));
    begin.crashes = 1;
    let won = std::cell::Cell::new(0);
    walk(begin, |end| {
        assert!(end.winners() <= end.owners.holders());
        won.set(won.get() + end.winners());
    });
    assert!(won.get() > 0, "in some worlds it is let go before anybody asks");
}

#[test]
fn a_registration_that_waits_gives_way_to_an_administrator_and_to_nobody_else() {
    let mut owners = held_by("carol");
    let (kept, taken) = (address_of("dora", Patch::Set(ADDRESS.into())), register("alice"));
    let facts = Facts { now: now(), group: None, made: None, limits: Limits::default() };
    let asked = registration("dora", "dora@example.com");
    let registered = owners.user(id("dora")).decide(&asked, &facts).unwrap();
    owners.write(id("dora"), registered.events());
    let refused = World::of(owners.clone(), vec![taken.clone()]).ends();
    assert!(refused.iter().all(|end| end.losers() == 1));
    walk(World::of(owners, vec![kept, taken]), |end| {
        // Whether alice lost or won for a moment: she only registered.
        assert_eq!(end.owners.holders(), 1);
        assert!(end.owners.users[&id("dora")].holds_address(AddressId::of(ADDRESS)));
        assert!(matches!(end.seekers[0], Seeker::Knows(Answer::Accepted { .. })));
    });
}

impl World {
    /// The worlds in which nothing more happens.
    fn ends(self) -> Vec<Self> {
        let ends = std::cell::RefCell::new(Vec::new());
        walk(self, |end| ends.borrow_mut().push(end.clone()));
        ends.into_inner()
    }
}

#[test]
fn claims_have_distinct_ids_that_say_when_they_were_made() {
    assert_ne!(claim(1), claim(2));
    assert_eq!(claim(1).made_at(), now());
    assert_eq!(ClaimId::from_uuid(Uuid::nil()).made_at(), Timestamp::MIN);
}
