//! A dispatcher over views of its own, and a receiver that answers when the test says.

use std::error::Error;

use domain::id::{DeliveryId, WebhookId};
use domain::timestamp::Timestamp;
use domain::webhook::{ContentType, EventTypes};
use log_model::{Position, Stream, StreamPartition};
use read_model::ViewsAt;
use read_model::webhook_deliveries::{DeliveryState, NewDelivery, WebhookMove};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::networks::Networks;

const PLACE: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

fn webhook(port: u16) -> WebhookRow {
    WebhookRow {
        id: WebhookId::named("Orders"),
        name: "Orders".to_owned(),
        url: format!("http://127.0.0.1:{port}/"),
        types: EventTypes::default(),
        group: None,
        content_type: ContentType::Json,
        paused: false,
        deleted: false,
        version: 1,
        created_version: 1,
        enabled_version: 1,
        begin_version: 1,
        begin_after: Position::new(),
        begin_from: None,
        secret: 1,
        old_secret: None,
        old_secret_until: None,
        created_at: Timestamp::from_micros(0),
    }
}

/// A dispatcher whose webhook has one event to send.
async fn owing_one(
    directory: &std::path::Path,
    port: u16,
) -> Result<(Dispatcher, DeliveryId), Box<dyn Error>> {
    let views = ReadModel::open(&ViewsAt::Sqlite { directory: directory.to_owned() }).await?;
    let webhook = webhook(port);
    assert!(views.take_webhook(webhook.id, "here").await?);
    assert!(views.begin_webhook(&webhook, "here", &[PLACE], now()).await?);
    let event = uuid::Uuid::from_u128(7);
    let id = DeliveryId::of(webhook.id, event);
    let delivery = NewDelivery {
        id,
        event_id: event.to_string(),
        event_type: "muster.user.approved".to_owned(),
        event_time: now(),
        user: UserId::from_uuid(event),
        place: PLACE,
        offset: 0,
        body: "{}".to_owned(),
    };
    let moved = WebhookMove { place: PLACE, from: 0, to: 1, has_begun: true };
    assert!(views.enqueue_deliveries((webhook.id, 1), "here", vec![delivery], vec![moved], now()).await?);
    let sender = Sender::new(Networks::new(vec!["127.0.0.0/8".parse()?]), Duration::from_mins(1));
    let lease = WorkerLease::new(sender.longest());
    lease.beat(Instant::now());
    let dispatcher = Dispatcher {
        webhook,
        worker: "here".to_owned(),
        views,
        sender,
        secrets: Secrets::only(vec![7; 32].into()),
        schedule: Schedule::DEFAULT.parse()?,
        concurrency: 4,
        lease: Arc::new(lease),
        backlog: Arc::new(Backlog::new(1)),
    };
    Ok((dispatcher, id))
}

#[tokio::test]
async fn a_changed_webhook_still_records_what_is_on_its_way() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let receiver = TcpListener::bind("127.0.0.1:0").await?;
    let (dispatcher, id) = owing_one(directory.path(), receiver.local_addr()?.port()).await?;
    let (views, backlog) = (dispatcher.views.clone(), dispatcher.backlog.clone());
    let (_stop, stopping) = watch::channel(false);
    let running = tokio::spawn(async move { dispatcher.run(stopping).await });

    let (mut stream, _) = receiver.accept().await?;
    let mut read = vec![0; 4_096];
    assert!(stream.read(&mut read).await? > 0, "a request is on its way");
    backlog.lost();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!running.is_finished(), "it waits for the answer");
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    assert_eq!(running.await?, DispatchEnd::Lost);
    let delivery = views.delivery(id).await?.ok_or("it is listed")?;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    Ok(())
}
