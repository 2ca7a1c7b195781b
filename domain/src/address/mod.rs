//! An e-mail address as something that at most one living user holds, though users live in different partitions.
//!
//! The stream of a user says whether they hold an address; nothing else does. The owner of the address's partition keeps
//! a holder record of it: whom to ask. Whoever wants to hold an address gets a reservation there, which replaces the holder record, and brings
//! it to the owner of the user. A holder record is replaced only after the user whom it names was asked: the owner of that
//! user answers that the address is held, or makes the reservation of the holder record void first, so that it can't come to be used
//! any more. Nothing is confirmed and nothing given back: a user who changes it, is rejected or deleted holds no more.
//! [`ReservationSaga`] is the way from one step to the next; `domain/tests/it/interleavings` walks through all orders of them.

mod reservation;
mod rules;

pub use reservation::{EmailReservation, FRESH, ReservationHolder, ReservationReply, VOID};
pub use rules::{AddressChange, ReleaseDecision, ReserveDecision, moves, release, reserve};
