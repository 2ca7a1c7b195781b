//! One service by itself, beside others that run elsewhere.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use command_service::{CommandService, Reach};
use graphql_gateway::GatewayService;
use graphql_gateway::commands::OwnersOverHttp;
use projection_service::{ProjectionConfig, ProjectionService};
use service_kit::lifecycle::Shutdown;
use service_kit::operations::{Operations, OperationsConfig, at_once};
use service_kit::telemetry;
use webhook_service::{WebhookConfig, WebhookService};

use crate::keys::KeyArguments;
use crate::store::{LogArguments, ViewsArguments, service_token};
use crate::wiring;

#[derive(clap::Args)]
pub(crate) struct CommandArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    commands: command_service::CommandConfig,
    #[command(flatten)]
    operations: OperationsConfig,
}

#[derive(clap::Args)]
pub(crate) struct ProjectionArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    #[command(flatten)]
    projection: ProjectionConfig,
    #[command(flatten)]
    operations: OperationsConfig,
}

#[derive(clap::Args)]
pub(crate) struct GatewayArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    #[command(flatten)]
    gateway: graphql_gateway::config::Config,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    operations: OperationsConfig,
}

#[derive(clap::Args)]
pub(crate) struct WebhookArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    #[command(flatten)]
    webhooks: WebhookConfig,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    operations: OperationsConfig,
}

/// `muster command-service`.
pub(crate) async fn command_service(arguments: CommandArguments) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let token = service_token()?;
    let operations = operations(&arguments.operations, &shutdown).await?;
    let Some(log) = unless_stopped(&shutdown, arguments.log.open()).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let service = CommandService::build(&arguments.commands, log, Reach::Http(&token)).await?;
    let door = service.queues();
    let serving = at_once(move || if door.is_serving() { Ok(()) } else { Err("its partitions".to_owned()) });
    operations.ready_when([("owner", serving)]);
    if let Some(address) = service.local_addr() {
        wiring::say(&format!("Muster command-service: commands at http://{address}"));
    }
    started(&arguments.log, &operations);
    service.run_until_stopped(shutdown.requested()).await?;
    operations.ended().await?;
    Ok(ExitCode::SUCCESS)
}

/// `muster projection-service`.
pub(crate) async fn projection_service(arguments: ProjectionArguments) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let operations = operations(&arguments.operations, &shutdown).await?;
    let Some(log) = unless_stopped(&shutdown, arguments.log.open()).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Some(writer) = unless_stopped(&shutdown, arguments.views.open_writer(&arguments.log)).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let service = ProjectionService::build(&arguments.projection, log, Arc::new(writer));
    operations.ready_when([("projection", wiring::keeps_up(service.status()))]);
    wiring::say("Muster projection-service: keeping the views");
    started(&arguments.log, &operations);
    service.run_until_stopped(shutdown.requested()).await;
    operations.ended().await?;
    Ok(ExitCode::SUCCESS)
}

/// `muster graphql-gateway`.
pub(crate) async fn graphql_gateway(arguments: GatewayArguments) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let token = service_token()?;
    // A gateway without keys does everything but create webhooks.
    let keys = arguments.keys.open(&arguments.log)?;
    let operations = operations(&arguments.operations, &shutdown).await?;
    let Some(log) = unless_stopped(&shutdown, arguments.log.open()).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Some(views) = unless_stopped(&shutdown, arguments.views.open(&arguments.log)).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let route = Arc::new(OwnersOverHttp::try_new(log.clone(), token.into())?);
    let mut gateway = GatewayService::build(arguments.gateway, log.clone(), views.clone(), route).await?;
    if let Some(keys) = keys {
        gateway = gateway.with_keys(Arc::new(keys));
    }
    operations.ready_when([("gateway", wiring::readiness(log, &views, gateway.access_health()))]);
    wiring::say(&format!("Muster graphql-gateway: portal API at http://{}/graphql", gateway.local_addr()?));
    started(&arguments.log, &operations);
    gateway.run_until_stopped(shutdown.requested()).await?;
    operations.ended().await?;
    Ok(ExitCode::SUCCESS)
}

/// `muster webhook-service`.
pub(crate) async fn webhook_service(arguments: WebhookArguments) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let keys = arguments.keys.require(&arguments.log)?;
    let operations = operations(&arguments.operations, &shutdown).await?;
    let Some(log) = unless_stopped(&shutdown, arguments.log.open()).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Some(views) = unless_stopped(&shutdown, arguments.views.open(&arguments.log)).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let is_alone = arguments.log.is_embedded();
    let service = WebhookService::build(arguments.webhooks, log, views, Arc::new(keys), is_alone);
    operations.ready_when([("webhooks", wiring::works(service.ready()))]);
    wiring::say("Muster webhook-service: sending events to webhooks");
    started(&arguments.log, &operations);
    service.run_until_stopped(shutdown.requested()).await;
    operations.ended().await?;
    Ok(ExitCode::SUCCESS)
}

/// The listener for operators, which answers before anything else is there.
pub(crate) async fn operations(config: &OperationsConfig, shutdown: &Shutdown) -> Result<Operations> {
    let metrics = telemetry::start_metrics()?;
    Ok(Operations::start(config, metrics, shutdown.requested()).await?)
}

/// What opens something, unless the process is told to end while it waits.
pub(crate) async fn unless_stopped<T>(
    shutdown: &Shutdown,
    opening: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    tokio::select! {
        opened = opening => opened.map(Some),
        () = shutdown.requested() => Ok(None),
    }
}

fn started(log: &LogArguments, operations: &Operations) {
    wiring::say(&format!("  Log      {}", log.describe()));
    wiring::say(&format!("  Health   http://{}/readyz, metrics at /metrics", operations.local_addr()));
}
