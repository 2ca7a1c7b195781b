//! Specs of the wire names: what travels between services and goes into digests keeps them.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::testing;
use crate::timestamp::Timestamp;

#[test]
fn a_command_keeps_its_wire_names() {
    let (address, user) = (AddressId::from_uuid(Uuid::nil()), UserId::from_uuid(Uuid::nil()));
    let reservation = ReservationId::from_uuid(Uuid::nil());
    let nil = "00000000-0000-0000-0000-000000000000";
    let (address_text, user_text, reservation_text) =
        (format!("address_{nil}"), format!("user_{nil}"), format!("claim_{nil}"));
    let known = ReservationHolder { holder: user, reservation: Some(reservation) };
    let reserve = Ask::ReserveAddress { address, reservation, holder: user, over: Some(known) };
    let holder = json!({ "holder": user_text, "claim": reservation_text });
    let expected = json!({ "Claim": {
        "address": address_text, "claim": reservation_text, "holder": user_text, "over": holder,
    } });
    assert_eq!(serde_json::to_value(&reserve).unwrap(), expected);

    let release =
        Ask::ReleaseAddress { id: user, address, reservation: Some(reservation), to: user, insists: true };
    let expected = json!({ "LetGo": {
        "id": user_text, "address": address_text, "claim": reservation_text, "to": user_text, "insists": true,
    } });
    assert_eq!(serde_json::to_value(&release).unwrap(), expected);

    let command = Command {
        id: "1".to_owned(),
        actor: Actor::Anonymous,
        correlation_id: "2".to_owned(),
        prepared: Some(Prepared::TemporaryPassword {
            digest: "00".to_owned(),
            expires_at: Timestamp::from_micros(0),
        }),
        reservation: Some(EmailReservation { id: reservation, address }),
        ..testing::command(Ask::Barrier { partition: 3 })
    };
    let expected = json!({
        "id": "1", "actor": "Anonymous", "client": {}, "correlation_id": "2", "ask": { "Barrier": { "partition": 3 } },
        "made": { "TemporaryPassword": { "digest": "00", "expires_at": "1970-01-01T00:00:00Z" } },
        "claim": { "id": reservation_text, "address": address_text },
        "seen": "",
    });
    assert_eq!(serde_json::to_value(&command).unwrap(), expected);
    let needed = address::ReservationReply::ReservationNeeded(address);
    assert_eq!(serde_json::to_value(needed).unwrap(), json!({ "ClaimNeeded": address_text }));
}
