//! Seekers of one address, the owners, and everything that may happen next.

use domain::address::ReservationReply;
use domain::command::{Answer, Ask, Command};
use domain::refusal::Code;
use domain::reservation_saga::{ReservationSaga, Transition};

use super::owners::{Owners, reservation};

/// One who wants the address.
#[derive(Clone)]
pub(super) enum Seeker {
    /// Has a question on its way.
    Asks(Box<ReservationSaga>),
    /// Has an answer on its way.
    Hears(Box<ReservationSaga>, Answer),
    /// Has an answer to the command.
    Knows(Answer),
    /// Crashed, or gave up.
    Gone,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) owners: Owners,
    pub(super) seekers: Vec<Seeker>,
    /// Questions that may still arrive, from those who crashed or asked twice.
    pub(super) late: Vec<Command>,
    pub(super) crashes: u8,
    pub(super) repeats: u8,
    /// How often a reservation that may be on its way is made void all the same.
    pub(super) impatience: u8,
    /// What the holder may do once, at any time.
    pub(super) lets_go: Option<Command>,
}

impl World {
    pub(super) fn of(mut owners: Owners, commands: Vec<Command>) -> Self {
        let begin = |command: Command| {
            owners.reservations += 1;
            let saga = ReservationSaga::of(&command, reservation(owners.reservations), |_, _| false).unwrap();
            Seeker::Asks(Box::new(saga))
        };
        let seekers = commands.into_iter().map(begin).collect();
        let (late, lets_go) = (Vec::new(), None);
        Self { owners, seekers, late, crashes: 0, repeats: 0, impatience: 2, lets_go }
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
                    // Waiting in vain until patience ends is the same as being asked once, as late as one likes.
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
        if let Some(lets_go) = &self.lets_go {
            let mut gone = self.clone();
            gone.lets_go = None;
            gone.owners.decide(lets_go);
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

    /// What tells two worlds apart. Numbers of reservations that nobody has seen yet don't.
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
        let budget = (self.crashes, self.repeats, self.impatience, self.lets_go.is_some());
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

/// The saga when it has waited for so long that the next time it insists.
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
