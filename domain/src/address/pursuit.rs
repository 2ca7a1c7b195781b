//! From the wish to hold an address to the answer: which owner is asked next, given what the last one said.

use std::time::Duration;

use crate::address::{Claim, Reply, Trace};
use crate::command::{Answer, Ask, Command, Failure};
use crate::id::{AddressId, ClaimId, UserId};
use crate::refusal::{Code, Refusal};
use crate::user;

/// Most questions of one pursuit. An uncontested one takes two, one that meets a holder three.
const QUESTIONS: u8 = 64;
/// How often a claim of somebody else is left alone that may be on its way to be used.
const PATIENCE: u8 = 7;
/// The first pause before it is looked again; the next ones are twice as long each, two and a half seconds in all.
const PAUSE: Duration = Duration::from_millis(20);

/// A command that may make a user hold an address, on its way between the owners. Whoever runs it sends
/// [`Self::question`] to its owner and passes the answer to [`Self::heard`] until it is [`Next::Over`]. To break it off
/// anywhere, and to send any question twice, does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pursuit {
    command: Command,
    user: UserId,
    step: Step,
    /// The claim that is tried now.
    claim: ClaimId,
    /// The answer to the command, while a claim is given back.
    answer: Option<Box<Answer>>,
    asked: u8,
}

/// What comes after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Another question.
    Ask(Box<Pursuit>),
    /// This is the answer to the command.
    Over(Answer),
    /// The address changes hands faster than it can be followed. Nothing was written for the command.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The command itself goes to the user's owner, with a claim if one was granted.
    Command(Option<Claim>),
    /// The address's owner is asked for a claim.
    Claim { address: AddressId, over: Option<Trace> },
    /// The owner of the user whom the trace names is asked.
    LetGo {
        address: AddressId,
        trace: Trace,
        /// How often the answer was that the claim may be on its way.
        waited: u8,
    },
    /// The user's owner makes the claim void that was granted and not needed, so that nobody waits for it.
    GiveBack { claim: Claim },
}

impl Pursuit {
    /// Begins, with the id of the claim that is tried first. `shares_partition` says whether this user and this address
    /// live in one partition, whose owner then needs no claim. `None` where no address is in play.
    pub fn of(
        command: &Command,
        claim: ClaimId,
        shares_partition: impl FnOnce(UserId, AddressId) -> bool,
    ) -> Option<Self> {
        let Ask::User { id: user, command: asked, .. } = &command.ask else { return None };
        if !asked.may_take_address() {
            return None;
        }
        // Whoever comes new holds nothing, so the claim is needed unless the name is taken.
        let step = match asked.address_of_a_newcomer() {
            Some(address) if !shares_partition(*user, address) => Step::Claim { address, over: None },
            _ => Step::Command(None),
        };
        Some(Self { command: command.clone(), user: *user, step, claim, answer: None, asked: 0 })
    }

    /// What is to be asked now.
    pub fn question(&self) -> Command {
        let of_address = |ask| Command { ask, prepared: None, claim: None, ..self.command.clone() };
        match self.step {
            Step::Command(claim) => Command { claim, ..self.command.clone() },
            Step::Claim { address, over } => {
                of_address(Ask::Claim { address, claim: self.claim, holder: self.user, over })
            }
            Step::LetGo { address, trace: Trace { holder, claim }, waited } => {
                let insists = waited >= PATIENCE;
                of_address(Ask::LetGo { id: holder, address, claim, to: self.user, insists })
            }
            Step::GiveBack { claim: Claim { id, address } } => {
                let (holder, claim) = (self.user, Some(id));
                of_address(Ask::LetGo { id: holder, address, claim, to: holder, insists: true })
            }
        }
    }

    /// How long to wait before it is asked: whoever got a claim a moment ago is given the time to use it. Otherwise
    /// many who want one address would take it from each other for ever.
    pub fn pause(&self) -> Duration {
        match self.step {
            Step::LetGo { waited: waited @ 1.., .. } => PAUSE * (1 << (waited - 1)),
            Step::LetGo { .. } | Step::Claim { .. } | Step::Command(_) | Step::GiveBack { .. } => {
                Duration::ZERO
            }
        }
    }

    /// What it means when a question gets no answer. Only the command itself may have been written then.
    pub fn without_answer(self, failure: Failure) -> Result<Answer, Failure> {
        match (self.step, self.answer, failure) {
            (_, Some(answer), _) => Ok(*answer),
            (Step::Command(_), None, failure) => Err(failure),
            (_, None, Failure::UnknownOutcome | Failure::NotOwner) => {
                Err(Failure::Unavailable { retry_after_ms: 1_000 })
            }
            (_, None, failure) => Err(failure),
        }
    }

    /// Takes in the answer. `fresh` is the id of the next claim, should the present one be of no more use.
    pub fn heard(mut self, answer: Answer, fresh: ClaimId) -> Next {
        self.step = match self.after(answer, fresh) {
            Ok(step) => step,
            Err(over) => return over,
        };
        self.asked += 1;
        if self.asked < QUESTIONS { Next::Ask(Box::new(self)) } else { Next::GiveUp }
    }

    fn after(&mut self, answer: Answer, fresh: ClaimId) -> Result<Step, Next> {
        let reply = match (self.step, answer) {
            (_, Answer::OfAddress(reply)) => reply,
            (Step::Command(Some(claim)), answer)
                if !matches!(answer, Answer::Accepted { repeated: false, .. }) =>
            {
                self.answer = Some(Box::new(answer));
                return Ok(Step::GiveBack { claim });
            }
            (_, answer) => return Err(Next::Over(answer)),
        };
        Ok(match (self.step, reply) {
            (Step::Command(_), Reply::ClaimNeeded(address)) => {
                self.claim = fresh;
                Step::Claim { address, over: None }
            }
            (Step::Claim { address, .. }, Reply::Granted) => {
                Step::Command(Some(Claim { id: self.claim, address }))
            }
            (Step::Claim { address, .. }, Reply::Contested(trace)) => {
                Step::LetGo { address, trace, waited: 0 }
            }
            (Step::LetGo { address, trace, waited }, Reply::Undecided) => {
                Step::LetGo { address, trace, waited: waited + 1 }
            }
            (Step::LetGo { address, trace, .. }, Reply::Free) => Step::Claim { address, over: Some(trace) },
            // The user holds it already: the command was done before, or changes nothing about it.
            (Step::LetGo { trace, .. }, Reply::Held) if trace.holder == self.user => Step::Command(None),
            (Step::LetGo { .. }, Reply::Held) => {
                return Err(Next::Over(Answer::Refused(self.taken().into())));
            }
            (Step::GiveBack { .. }, _) => {
                return Err(self.answer.take().map_or(Next::GiveUp, |answer| Next::Over(*answer)));
            }
            (Step::Command(_) | Step::Claim { .. } | Step::LetGo { .. }, _) => return Err(Next::GiveUp),
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
