//! Audit entries of access records: sign-ins, failed sign-ins, denied and refused commands.

use domain::access::{Event, SignInFailureReason};
use read_model::audit::{AuditRow, FieldChange, Outcome, Target};

/// Completes an entry with what the event says.
pub(super) fn entry(event: &Event, entry: AuditRow) -> AuditRow {
    match event {
        Event::SignedIn(signed_in) => AuditRow { changes: vec![new("service", &signed_in.service)], ..entry },
        Event::SignInFailed(failed) => AuditRow {
            outcome: outcome(failed.reason),
            changes: [
                vec![new("service", &failed.service), new("reason", reason(failed.reason))],
                count(failed.count),
            ]
            .concat(),
            ..entry
        },
        Event::CommandDenied(denied) => AuditRow {
            action: denied.command.clone(),
            target: target(denied.target.as_deref(), &entry),
            outcome: Outcome::Denied,
            changes: count(denied.count),
            ..entry
        },
        Event::CommandRefused(refused) => AuditRow {
            action: refused.command.clone(),
            target: target(refused.target.as_deref(), &entry),
            target_name: refused.target_name.clone(),
            outcome: Outcome::Failed,
            changes: [vec![new("codes", &refused.codes.join(", "))], count(refused.count)].concat(),
            ..entry
        },
    }
}

fn target(said: Option<&str>, entry: &AuditRow) -> Option<Target> {
    said.map_or_else(|| entry.target.clone(), Target::parse)
}

fn new(field: &str, value: &str) -> FieldChange {
    FieldChange::new(field, None, Some(value.to_owned()))
}

/// The number of equal records that the entry stands for, if more than one.
fn count(count: u32) -> Vec<FieldChange> {
    if count > 1 { vec![new("count", &count.to_string())] } else { Vec::new() }
}

/// A caller with valid credentials who still gets no access is denied; any other failed.
fn outcome(reason: SignInFailureReason) -> Outcome {
    match reason {
        SignInFailureReason::Unknown
        | SignInFailureReason::WrongSecret
        | SignInFailureReason::Expired
        | SignInFailureReason::Delayed => Outcome::Failed,
        SignInFailureReason::NotActive
        | SignInFailureReason::MustChange
        | SignInFailureReason::WrongScope
        | SignInFailureReason::WrongNetwork => Outcome::Denied,
    }
}

fn reason(reason: SignInFailureReason) -> &'static str {
    match reason {
        SignInFailureReason::Unknown => "unknown",
        SignInFailureReason::WrongSecret => "wrong_secret",
        SignInFailureReason::NotActive => "not_active",
        SignInFailureReason::Expired => "expired",
        SignInFailureReason::Delayed => "delayed",
        SignInFailureReason::MustChange => "must_change",
        SignInFailureReason::WrongScope => "wrong_scope",
        SignInFailureReason::WrongNetwork => "wrong_network",
    }
}
