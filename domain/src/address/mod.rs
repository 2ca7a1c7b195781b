//! E-mail addresses as unique values: at most one living user holds an address, although users live in many partitions.
//!
//! Only the stream of a user says whether that user holds an address. The owner of the address's partition keeps a
//! holder record: which user to ask. A user who wants an address first gets a reservation from that owner, who replaces
//! the holder record. The user then presents the reservation to their own owner.
//!
//! The owner of an address replaces a holder record only after the named user was asked. The owner of that user either
//! answers that the address is held, or makes the record's reservation void and then answers that it is free.
//!
//! Nothing is confirmed or given back: a user who changes the address, is rejected or is deleted holds it no more.
//!
//! [`crate::reservation_saga`] leads from one step to the next. `domain/tests/it/interleavings` walks through all
//! orders of the steps. ADR 0011 explains the choice.

mod reservation;
mod rules;

pub use reservation::{EmailReservation, FRESH, ReservationHolder, ReservationReply, VOID};
pub use rules::{AddressChange, ReleaseDecision, ReserveDecision, change, release, reserve};
