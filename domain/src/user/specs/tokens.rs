//! Specs of auth tokens.

use super::*;
use crate::actor::Role;
use crate::decision_context::{Limits, Prepared};
use crate::spec::{alice, given, noon, tomorrow};
use crate::user::Command;
use crate::user::onboarding::spec::{active, registered, suspended, with};
use crate::user::roles::RoleGranted;

pub(crate) fn issued(sequence: u64, name: &str) -> Event {
    issued_until(sequence, name, None)
}

fn issued_until(sequence: u64, name: &str, expires_at: Option<Timestamp>) -> Event {
    let token_id = TokenId::issued_at(alice(), sequence);
    let (scopes, allowed_networks) = (vec![Scope::Agent], Vec::new());
    AuthTokenIssued { token_id, name: name.into(), scopes, expires_at, allowed_networks }.into()
}

fn issue(name: &str) -> IssueAuthToken {
    let (scopes, allowed_networks) = (vec![Scope::Agent], Vec::new());
    IssueAuthToken { name: name.into(), scopes, expires_at: None, allowed_networks }
}

fn secret() -> Prepared {
    Prepared::TokenSecret { digest: "00".repeat(32) }
}

fn revoke(sequence: u64) -> Command {
    Command::RevokeAuthToken(RevokeAuthToken { token_id: TokenId::issued_at(alice(), sequence) })
}

#[test]
fn a_token_is_issued_to_an_active_user() {
    let attempt = given(active()).and_prepared(secret()).when(Command::IssueAuthToken(issue("ci")));
    let decision = attempt.then([issued(4, "ci")]);
    let token = TokenId::issued_at(alice(), 4);
    assert_eq!(decision.credential_texts(), [format!("put {}/{token} Token(…) v4", alice())]);
}

#[test]
fn only_an_active_user_has_tokens() {
    for history in [vec![registered()], with(active(), [suspended()])] {
        let attempt =
            given(history.clone()).and_prepared(secret()).when(Command::IssueAuthToken(issue("ci")));
        attempt.then_refused([(Code::NotActive, "")]);
        given(history).when(revoke(4)).then_refused([(Code::NotActive, "")]);
    }
}

#[test]
fn a_token_for_the_feeds_of_events_is_for_somebody_who_may_audit() {
    let issue = || IssueAuthToken { scopes: vec![Scope::Events, Scope::Sftp], ..issue("feed") };
    let attempt = |history| given(history).and_prepared(secret()).when(Command::IssueAuthToken(issue()));
    attempt(active()).then_refused([(Code::NotPermitted, "scopes")]);
    let granted = RoleGranted { role: Role::Administrator };
    let token_id = TokenId::issued_at(alice(), 5);
    let issued = AuthTokenIssued {
        token_id,
        name: "feed".into(),
        scopes: vec![Scope::Sftp, Scope::Events],
        expires_at: None,
        allowed_networks: Vec::new(),
    };
    attempt(with(active(), [granted.into()])).then([issued]);
}

#[test]
fn a_name_is_unique_among_living_tokens() {
    let attempt = |history| given(history).and_prepared(secret()).when(Command::IssueAuthToken(issue("ci")));
    attempt(with(active(), [issued(4, "ci")])).then_refused([(Code::NameTaken, "name")]);
    attempt(with(active(), [issued_until(4, "ci", Some(tomorrow()))]))
        .then_refused([(Code::NameTaken, "name")]);
    attempt(with(active(), [issued_until(4, "ci", Some(noon()))])).then([issued(5, "ci")]);
    let revoked = AuthTokenRevoked { token_id: TokenId::issued_at(alice(), 4), name: "ci".into() };
    attempt(with(active(), [issued(4, "ci"), revoked.into()])).then([issued(6, "ci")]);
}

#[test]
fn there_are_only_so_many() {
    let limits = Limits { tokens: 1, ..Limits::default() };
    let attempt = given(with(active(), [issued(4, "a")])).and_limits(limits).and_prepared(secret());
    attempt.when(Command::IssueAuthToken(issue("b"))).then_refused([(Code::TooMany, "")]);
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = IssueAuthToken {
        name: " ".into(),
        scopes: vec![],
        expires_at: Some(noon()),
        allowed_networks: vec!["10.0.0.0/8".into(), "10.0.0.0/33".into()],
    };
    given(active()).and_prepared(secret()).when(Command::IssueAuthToken(bad)).then_refused([
        (Code::Required, "name"),
        (Code::Required, "scopes"),
        (Code::OutOfRange, "expiresAt"),
        (Code::InvalidFormat, "allowedNetworks.1"),
    ]);
}

#[test]
fn a_token_lives_for_two_years_at_most() {
    let until = |expires_at| IssueAuthToken { expires_at: Some(expires_at), ..issue("ci") };
    let attempt = |command| given(active()).and_prepared(secret()).when(Command::IssueAuthToken(command));
    attempt(until(noon() + LONGEST_LIFE)).then([issued_until(4, "ci", Some(noon() + LONGEST_LIFE))]);
    let later = noon() + LONGEST_LIFE + Duration::from_secs(1);
    attempt(until(later)).then_refused([(Code::OutOfRange, "expiresAt")]);
}

#[test]
fn networks_are_kept_in_one_form() {
    let texts = ["10.1.2.3/8", "10.0.0.0/8", "2001:db8::1"].map(str::to_owned);
    let networks: Vec<_> = networks(&texts).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "2001:db8::1/128"]);
    let many = vec!["10.0.0.0/8".to_owned(); 51];
    assert_eq!(super::networks(&many).unwrap_err().code, Code::TooMany);
}

#[test]
fn f18_mapped_networks_are_kept_as_ipv4() {
    let texts =
        ["::ffff:203.0.113.9/120", "::ffff:198.51.100.1", "203.0.113.0/24", "::/0"].map(str::to_owned);
    let networks: Vec<_> = networks(&texts).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["198.51.100.1/32", "203.0.113.0/24", "::/0"]);
}

#[test]
fn a_token_is_revoked_once() {
    let token_id = TokenId::issued_at(alice(), 4);
    let revoked = || AuthTokenRevoked { token_id, name: "ci".into() };
    let decision = given(with(active(), [issued(4, "ci")])).when(revoke(4)).then([revoked()]);
    assert_eq!(decision.credential_texts(), [format!("remove {}/{token_id}", alice())]);
    given(with(active(), [issued(4, "ci"), revoked().into()])).when(revoke(4)).then_nothing();
    given(active()).when(revoke(4)).then_refused([(Code::UnknownToken, "authTokenId")]);
}

#[test]
fn issuing_without_a_secret_is_refused() {
    given(active()).when(Command::IssueAuthToken(issue("ci"))).then_refused([(Code::Required, "")]);
}
