//! E-mail addresses as unique values: at most one living user holds an address, although users live in many partitions.
//!
//! Only the stream of a user says whether that user holds an address. The owner of the address's partition keeps a
//! holder record: which user to ask. A user who wants an address gets a reservation from that owner, which replaces the
//! holder record, and brings it to the user's own owner.
//!
//! The owner of an address replaces a holder record only after the named user was asked. The owner of that user
//! answers that the address is held, or first makes the reservation of the record void, so that nobody can use it any
//! more. Nothing is confirmed or given back: a user who changes the address, is rejected or is deleted holds it no more.
//!
//! [`crate::reservation_saga`] leads from one step to the next. `domain/tests/it/interleavings` walks through all
//! orders of the steps. ADR 0011 explains the choice.

mod reservation;
mod rules;

pub use reservation::{EmailReservation, FRESH, ReservationHolder, ReservationReply, VOID};
pub use rules::{AddressChange, ReleaseDecision, ReserveDecision, change, release, reserve};
