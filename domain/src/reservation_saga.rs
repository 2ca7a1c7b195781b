//! From the wish to hold an address to the answer: which owner is asked next, given what the last one said.

use std::time::Duration;

use crate::address::{EmailReservation, ReservationHolder, ReservationReply};
use crate::command::{Answer, Ask, Command, Failure};
use crate::id::{AddressId, ReservationId, UserId};
use crate::refusal::{Code, Refusal};
use crate::user;

/// Most questions of one saga. An uncontested one takes two, one that meets a holder three.
const QUESTIONS: u8 = 64;
/// How often a reservation of somebody else is left alone that may be on its way to be used.
const PATIENCE: u8 = 7;
/// The first pause before it is looked again; the next ones are twice as long each, two and a half seconds in all.
const PAUSE: Duration = Duration::from_millis(20);

/// A command that may make a user hold an address, on its way between the owners. Whoever runs it sends
/// [`Self::question`] to its owner and passes the answer to [`Self::heard`] until it is [`Transition::Done`]. To break it off
/// anywhere, and to send any question twice, does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationSaga {
    command: Command,
    user: UserId,
    step: Step,
    /// The reservation that is tried now.
    reservation: ReservationId,
    /// The answer to the command, while a reservation is given back.
    answer: Option<Box<Answer>>,
    asked: u8,
}

/// What comes after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Another question.
    Continue(Box<ReservationSaga>),
    /// This is the answer to the command.
    Done(Answer),
    /// The address changes hands faster than it can be followed. Nothing was written for the command.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The command itself goes to the user's owner, with a reservation if one was granted.
    Command(Option<EmailReservation>),
    /// The address's owner is asked for a reservation.
    Reserve { address: AddressId, over: Option<ReservationHolder> },
    /// The owner of the user whom the holder record names is asked.
    Release {
        address: AddressId,
        known_holder: ReservationHolder,
        /// How often the answer was that the reservation may be on its way.
        waited: u8,
    },
    /// The user's owner makes the reservation void that was granted and not needed, so that nobody waits for it.
    GiveBack { reservation: EmailReservation },
}

impl ReservationSaga {
    /// Begins, with the id of the reservation that is tried first. `shares_partition` says whether this user and this address
    /// live in one partition, whose owner then needs no reservation. `None` where no address is in play.
    pub fn of(
        command: &Command,
        reservation: ReservationId,
        shares_partition: impl FnOnce(UserId, AddressId) -> bool,
    ) -> Option<Self> {
        let Ask::User { id: user, command: asked, .. } = &command.ask else { return None };
        if !asked.may_take_address() {
            return None;
        }
        // Whoever comes new holds nothing, so the reservation is needed unless the name is taken.
        let step = match asked.address_of_a_newcomer() {
            Some(address) if !shares_partition(*user, address) => Step::Reserve { address, over: None },
            _ => Step::Command(None),
        };
        Some(Self { command: command.clone(), user: *user, step, reservation, answer: None, asked: 0 })
    }

    /// What is to be asked now.
    pub fn next_command(&self) -> Command {
        let of_address = |ask| Command { ask, prepared: None, reservation: None, ..self.command.clone() };
        match self.step {
            Step::Command(reservation) => Command { reservation, ..self.command.clone() },
            Step::Reserve { address, over } => of_address(Ask::ReserveAddress {
                address,
                reservation: self.reservation,
                holder: self.user,
                over,
            }),
            Step::Release { address, known_holder: ReservationHolder { holder, reservation }, waited } => {
                let insists = waited >= PATIENCE;
                of_address(Ask::ReleaseAddress { id: holder, address, reservation, to: self.user, insists })
            }
            Step::GiveBack { reservation: EmailReservation { id, address } } => {
                let (holder, reservation) = (self.user, Some(id));
                of_address(Ask::ReleaseAddress {
                    id: holder,
                    address,
                    reservation,
                    to: holder,
                    insists: true,
                })
            }
        }
    }

    /// How long to wait before it is asked: whoever got a reservation a moment ago is given the time to use it. Otherwise
    /// many who want one address would take it from each other for ever.
    pub fn pause(&self) -> Duration {
        match self.step {
            Step::Release { waited: waited @ 1.., .. } => PAUSE * (1 << (waited - 1)),
            Step::Release { .. } | Step::Reserve { .. } | Step::Command(_) | Step::GiveBack { .. } => {
                Duration::ZERO
            }
        }
    }

    /// What it means when a question gets no answer. Only the command itself may have been written then.
    pub fn on_failure(self, failure: Failure) -> Result<Answer, Failure> {
        match (self.step, self.answer, failure) {
            (_, Some(answer), _) => Ok(*answer),
            (Step::Command(_), None, failure) => Err(failure),
            (_, None, Failure::UnknownOutcome | Failure::NotOwner) => {
                Err(Failure::Unavailable { retry_after_ms: 1_000 })
            }
            (_, None, failure) => Err(failure),
        }
    }

    /// Takes in the answer. `fresh` is the id of the next reservation, should the present one be of no more use.
    pub fn on_answer(mut self, answer: Answer, fresh: ReservationId) -> Transition {
        self.step = match self.after(answer, fresh) {
            Ok(step) => step,
            Err(over) => return over,
        };
        self.asked += 1;
        if self.asked < QUESTIONS { Transition::Continue(Box::new(self)) } else { Transition::GiveUp }
    }

    fn after(&mut self, answer: Answer, fresh: ReservationId) -> Result<Step, Transition> {
        let reply = match (self.step, answer) {
            (_, Answer::OfAddress(reply)) => reply,
            (Step::Command(Some(reservation)), answer)
                if !matches!(answer, Answer::Accepted { repeated: false, .. }) =>
            {
                self.answer = Some(Box::new(answer));
                return Ok(Step::GiveBack { reservation });
            }
            (_, answer) => return Err(Transition::Done(answer)),
        };
        Ok(match (self.step, reply) {
            (Step::Command(_), ReservationReply::ReservationNeeded(address)) => {
                self.reservation = fresh;
                Step::Reserve { address, over: None }
            }
            (Step::Reserve { address, .. }, ReservationReply::Granted) => {
                Step::Command(Some(EmailReservation { id: self.reservation, address }))
            }
            (Step::Reserve { address, .. }, ReservationReply::Contested(known_holder)) => {
                Step::Release { address, known_holder, waited: 0 }
            }
            (Step::Release { address, known_holder, waited }, ReservationReply::Undecided) => {
                Step::Release { address, known_holder, waited: waited + 1 }
            }
            (Step::Release { address, known_holder, .. }, ReservationReply::Free) => {
                Step::Reserve { address, over: Some(known_holder) }
            }
            // The user holds it already: the command was done before, or changes nothing about it.
            (Step::Release { known_holder, .. }, ReservationReply::Held)
                if known_holder.holder == self.user =>
            {
                Step::Command(None)
            }
            (Step::Release { .. }, ReservationReply::Held) => {
                return Err(Transition::Done(Answer::Refused(self.taken().into())));
            }
            (Step::GiveBack { .. }, _) => {
                return Err(self
                    .answer
                    .take()
                    .map_or(Transition::GiveUp, |answer| Transition::Done(*answer)));
            }
            (Step::Command(_) | Step::Reserve { .. } | Step::Release { .. }, _) => {
                return Err(Transition::GiveUp);
            }
        })
    }

    fn taken(&self) -> Refusal {
        let refusal = Refusal::new(Code::EmailTaken, "Another user has this e-mail address.");
        match &self.command.ask {
            // Its input has no address.
            Ask::User { command: user::Command::ReconsiderUser, .. } => refusal,
            _ => refusal.at("email"),
        }
    }
}
