//! Auth tokens as their users see them. Revoked tokens stay visible.

use domain::id::TokenId;
use domain::user::Event;
use read_model::tokens::TokenRow;

use super::{At, RowChange};

/// The issued token, or the revoked one as gone.
pub(crate) fn fold(event: &Event, at: At) -> Option<RowChange<TokenId, TokenRow>> {
    match event {
        Event::AuthTokenIssued(issued) => Some(RowChange::Put(
            issued.token_id,
            TokenRow {
                id: issued.token_id,
                user_id: at.user,
                name: issued.name.clone(),
                scopes: issued.scopes.clone(),
                allowed_networks: issued.allowed_networks.iter().map(ToString::to_string).collect(),
                version: at.sequence,
                created_at: at.time,
                expires_at: issued.expires_at,
                revoked: false,
                last_use: None,
            },
        )),
        Event::AuthTokenRevoked(revoked) => Some(RowChange::Gone(revoked.token_id)),
        _ => None,
    }
}
