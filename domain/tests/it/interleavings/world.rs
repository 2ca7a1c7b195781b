//! A world of seekers of one address and their owners, and everything that may happen next.

use domain::address::ReservationReply;
use domain::command::{Answer, Ask, Command};
use domain::refusal::Code;
use domain::reservation_saga::{ReservationSaga, Transition};

use super::owners::{Owners, reservation};

/// A client that wants the address for its user.
#[derive(Clone)]
pub(super) enum Seeker {
    /// Its question is on the way.
    Asks(Box<ReservationSaga>),
    /// The owner's answer is on the way.
    Hears(Box<ReservationSaga>, Answer),
    /// It has the answer to its command.
    Knows(Answer),
    /// It crashed or gave up.
    Gone,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) owners: Owners,
    pub(super) seekers: Vec<Seeker>,
    /// Questions that may still arrive, from seekers that crashed or asked twice.
    pub(super) late: Vec<Command>,
    /// How many more seekers may crash.
    pub(super) crashes: u8,
    /// How many more questions may be sent twice.
    pub(super) repeats: u8,
    /// How many more times a usable reservation is made void all the same.
    pub(super) impatience: u8,
    /// A command of the holder that may come once, at any time.
    pub(super) release: Option<Command>,
}

impl World {
    pub(super) fn of(mut owners: Owners, commands: Vec<Command>) -> Self {
        let begin = |command: Command| {
            owners.reservations += 1;
            let saga = ReservationSaga::of(&command, reservation(owners.reservations), |_, _| false).unwrap();
            Seeker::Asks(Box::new(saga))
        };
        let seekers = commands.into_iter().map(begin).collect();
        let (late, release) = (Vec::new(), None);
        Self { owners, seekers, late, crashes: 0, repeats: 0, impatience: 2, release }
    }

    /// Everything that may happen next.
    pub(super) fn next(&self) -> Vec<Self> {
        let mut worlds = Vec::new();
        for at in 0..self.seekers.len() {
            match &self.seekers[at] {
                Seeker::Asks(saga) => {
                    let question = saga.next_command();
                    let mut answered = self.clone();
                    let answer = answered.owners.decide(&question);
                    answered.seekers[at] = Seeker::Hears(saga.clone(), answer);
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
                Seeker::Hears(saga, answer) => {
                    let mut heard = self.clone();
                    if matches!(answer, Answer::OfAddress(ReservationReply::ReservationNeeded(_))) {
                        heard.owners.reservations += 1;
                    }
                    heard.seekers[at] = heard.hears(saga.as_ref().clone(), answer);
                    worlds.push(heard);
                    // Waiting in vain to the end has the same effect as one question that comes as late as possible.
                    if self.impatience > 0 && *answer == Answer::OfAddress(ReservationReply::Undecided) {
                        let mut insists = self.clone();
                        insists.impatience -= 1;
                        insists.seekers[at] = insists.hears(insisting(saga), answer);
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
        if let Some(release) = &self.release {
            let mut gone = self.clone();
            gone.release = None;
            gone.owners.decide(release);
            worlds.push(gone);
        }
        worlds
    }

    pub(super) fn hears(&self, saga: ReservationSaga, answer: &Answer) -> Seeker {
        match saga.on_answer(answer.clone(), reservation(self.owners.reservations)) {
            Transition::Continue(saga) => Seeker::Asks(saga),
            Transition::Done(answer) => Seeker::Knows(answer),
            Transition::GiveUp => Seeker::Gone,
        }
    }

    /// Equal for worlds that behave alike. Numbers of unseen reservations don't matter.
    pub(super) fn key(&self) -> String {
        let seekers: Vec<String> = self
            .seekers
            .iter()
            .map(|seeker| match seeker {
                Seeker::Asks(saga) => {
                    format!("? {:?}", (saga.next_command().ask, saga.next_command().reservation))
                }
                Seeker::Hears(saga, answer) => format!("! {:?} {answer:?}", saga.next_command().ask),
                Seeker::Knows(answer) => format!(". {answer:?}"),
                Seeker::Gone => String::new(),
            })
            .collect();
        let mut late: Vec<String> =
            self.late.iter().map(|late| format!("{:?}{:?}", late.ask, late.reservation)).collect();
        late.sort();
        let mut users: Vec<String> = self.owners.users.values().map(|user| format!("{user:?}")).collect();
        users.sort();
        let mut void: Vec<_> = self.owners.void.iter().map(ToString::to_string).collect();
        void.sort();
        let budget = (self.crashes, self.repeats, self.impatience, self.release.is_some());
        format!("{:?}{users:?}{void:?}{seekers:?}{late:?}{budget:?}", self.owners.known_holder)
    }

    pub(super) fn winners(&self) -> usize {
        let won = |seeker: &&Seeker| matches!(seeker, Seeker::Knows(Answer::Accepted { .. }));
        self.seekers.iter().filter(won).count()
    }

    pub(super) fn losers(&self) -> usize {
        let lost = |seeker: &&Seeker| match seeker {
            Seeker::Knows(Answer::Refused(refusals)) => refusals[0].code == Code::EmailTaken,
            _ => false,
        };
        self.seekers.iter().filter(lost).count()
    }
}

/// The saga after all its waits: the next question insists.
pub(super) fn insisting(saga: &ReservationSaga) -> ReservationSaga {
    let mut saga = saga.clone();
    loop {
        let Transition::Continue(next) =
            saga.clone().on_answer(Answer::OfAddress(ReservationReply::Undecided), reservation(0))
        else {
            unreachable!("a saga waits")
        };
        if matches!(next.next_command().ask, Ask::ReleaseAddress { insists: true, .. }) {
            return saga;
        }
        saga = *next;
    }
}
