//! The reservation saga: which owner a gateway asks next when a command takes an e-mail address (ADR 0011).

use std::time::Duration;

use crate::address::{EmailReservation, ReservationHolder, ReservationReply};
use crate::command::{Answer, Ask, Command, Failure};
use crate::id::{AddressId, ReservationId, UserId};
use crate::refusal::{Code, Refusal};
use crate::user;

/// Most questions of one saga. Without contention two or three suffice.
const MOST_QUESTIONS: u8 = 64;
/// How often another user's reservation that may still be used is left alone.
const MOST_WAITS: u8 = 7;
/// The first pause before the holder is asked again. Each next one is twice as long: 2.5 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The state of a command that may make a user hold an address, between the answers of owners.
///
/// The caller sends [`Self::next_command`] to its owner after [`Self::pause`], and passes the answer to
/// [`Self::on_answer`], until that returns [`Transition::Done`]. It is safe to stop anywhere and to send a command twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationSaga {
    command: Command,
    user: UserId,
    step: Step,
    /// The present reservation's id.
    reservation: ReservationId,
    /// The answer to the command, kept while an unused reservation is given back.
    answer: Option<Box<Answer>>,
    asked: u8,
}

/// What comes after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Ask on.
    Continue(Box<ReservationSaga>),
    /// The answer to the command.
    Done(Answer),
    /// The holder of the address changes faster than the saga can follow. Nothing was written for the command.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Send the command to the user's owner, with the reservation if one was granted.
    Command(Option<EmailReservation>),
    /// Ask the address's owner for a reservation.
    Reserve { address: AddressId, over: Option<ReservationHolder> },
    /// Ask the owner of the user in the holder record.
    Release {
        address: AddressId,
        known_holder: ReservationHolder,
        /// How often the owner answered that the reservation may still be used.
        waited: u8,
    },
    /// Let the user's owner make an unused reservation void. Otherwise others would wait for it.
    GiveBack { reservation: EmailReservation },
}

impl ReservationSaga {
    /// Starts the saga of a command. `None` if the command can't take an address.
    ///
    /// `reservation` is a new id. `shares_partition` tells whether a user and an address live in one partition. If so, its
    /// owner needs no reservation.
    pub fn of(
        command: &Command,
        reservation: ReservationId,
        shares_partition: impl FnOnce(UserId, AddressId) -> bool,
    ) -> Option<Self> {
        let Ask::User { id: user, command: asked, .. } = &command.ask else { return None };
        if !asked.may_take_address() {
            return None;
        }
        // A new user holds no address, so the reservation is needed unless the name is taken.
        let step = match asked.address_of_new_user() {
            Some(address) if !shares_partition(*user, address) => Step::Reserve { address, over: None },
            _ => Step::Command(None),
        };
        Some(Self { command: command.clone(), user: *user, step, reservation, answer: None, asked: 0 })
    }

    /// The command to send now.
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
                let insists = waited >= MOST_WAITS;
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

    /// How long to wait before sending it. A user who just got a reservation needs time to use it. Otherwise competing
    /// users would take the address from each other endlessly.
    pub fn pause(&self) -> Duration {
        match self.step {
            Step::Release { waited: waited @ 1.., .. } => FIRST_PAUSE * (1 << (waited - 1)),
            Step::Release { .. } | Step::Reserve { .. } | Step::Command(_) | Step::GiveBack { .. } => {
                Duration::ZERO
            }
        }
    }

    /// The outcome when a question gets no answer. Only the command itself may have been written then.
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

    /// The next step after an answer. `fresh` is a new reservation id, in case the present one can't be used any more.
    pub fn on_answer(mut self, answer: Answer, fresh: ReservationId) -> Transition {
        self.step = match self.after(answer, fresh) {
            Ok(step) => step,
            Err(over) => return over,
        };
        self.asked += 1;
        if self.asked < MOST_QUESTIONS { Transition::Continue(Box::new(self)) } else { Transition::GiveUp }
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
            // The user holds the address already: the command was done before, or doesn't change the address.
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
            // The input of this command has no field for an address.
            Ask::User { command: user::Command::ReconsiderUser, .. } => refusal,
            _ => refusal.at("email"),
        }
    }
}
