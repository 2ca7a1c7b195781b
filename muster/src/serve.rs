//! `muster serve`: everything in one process.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use command_service::{CommandService, Reach};
use event_log::EventLog;
use graphql_gateway::GatewayService;
use graphql_gateway::commands::{CommandRoute, OwnersOverHttp};
use projection_service::{ProjectionConfig, ProjectionService};
use service_kit::lifecycle::{Shutdown, run_part};
use service_kit::operations::OperationsConfig;
use webhook_service::{WebhookConfig, WebhookService};

use crate::keys::KeyArguments;
use crate::store::{LogArguments, ViewsArguments, absolute, service_token_or_fresh};
use crate::wiring::{self, say};
use crate::{init, services};

/// Name of the administrator that a development server makes for itself.
const FIRST_ADMINISTRATOR: &str = "administrator";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    #[command(flatten)]
    commands: command_service::CommandConfig,
    #[command(flatten)]
    projection: ProjectionConfig,
    #[command(flatten)]
    gateway: graphql_gateway::config::Config,
    #[command(flatten)]
    webhooks: WebhookConfig,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    operations: OperationsConfig,
}

/// Serves until told to end. The gateway ends first, so that what it has taken is still decided and shown.
pub(crate) async fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let embedded = arguments.log.is_embedded() && arguments.views.is_embedded()?;
    let dev = arguments.gateway.dev.unwrap_or(embedded && arguments.gateway.listen.ip().is_loopback());
    arguments.gateway.dev = Some(dev);

    let keys = arguments.keys.open(&arguments.log)?.map(Arc::new);
    if keys.is_none() {
        tracing::warn!(
            "without --secret-key (MUSTER_SECRET_KEY) no webhook is created and none is delivered"
        );
    }
    let (after_gateway, after_commands) = (Shutdown::manual(), Shutdown::manual());
    let operations = services::operations(&arguments.operations, &after_commands).await?;
    let opening = async {
        let log = arguments.log.open().await?;
        let writer = arguments.views.open_writer(&arguments.log).await?;
        Ok((log, writer))
    };
    let Some((log, writer)) = services::unless_stopped(&shutdown, opening).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let validity = arguments.gateway.temporary_passwords;
    let administrator =
        if dev { init::first(log.clone(), FIRST_ADMINISTRATOR, validity).await? } else { None };

    let (commands, route) = commands(&arguments, &log).await?;
    let views = writer.views().clone();
    let projection = ProjectionService::build(&arguments.projection, log.clone(), Arc::new(writer));
    let portals = arguments.gateway.portals.clone();
    let is_alone = arguments.log.is_embedded();
    let webhooks = keys
        .clone()
        .map(|keys| WebhookService::build(arguments.webhooks, log.clone(), views.clone(), keys, is_alone));
    let mut gateway = GatewayService::build(arguments.gateway, log.clone(), views.clone(), route).await?;
    if let Some(keys) = keys {
        gateway = gateway.with_keys(keys);
    }
    operations.ready_when([
        ("gateway", wiring::readiness(log, &views, gateway.access_health())),
        ("projection", wiring::keeps_up(projection.status())),
    ]);

    let portal = gateway.local_addr()?;
    say("Muster is up.");
    if !portals.no_portals {
        let under = |host: Option<String>| match host {
            Some(host) => format!("{host}:{}", portal.port()),
            None => portal.to_string(),
        };
        say(&format!("  User portal  http://{}/", under(portals.user_host)));
        say(&format!("  Admin portal http://{}/admin/", under(portals.admin_host)));
    }
    say(&format!("  Portal API   http://{portal}/graphql"));
    if dev {
        say(&format!("  Try it       http://{portal}/graphiql (development only)"));
    }
    say_administrator(administrator.as_ref(), dev);
    say(&format!("  Log          {}", arguments.log.describe()));
    if embedded {
        say(&format!("  Data         {}", absolute(&arguments.log.data_dir)));
    }
    say(&format!("  Health       http://{}/readyz, metrics at /metrics", operations.local_addr()));

    let commands = commands.run_until_stopped(after_gateway.requested());
    let commands = run_part("command service", commands, &after_gateway, &shutdown);
    let projection = projection.run_until_stopped(after_commands.requested());
    let projection = async {
        projection.await;
        Ok(())
    };
    let projection = run_part("projection", projection, &after_commands, &shutdown);
    let stop_webhooks = after_gateway.requested();
    let webhooks = async move {
        match webhooks {
            Some(webhooks) => webhooks.run_until_stopped(stop_webhooks).await,
            None => stop_webhooks.await,
        }
        Ok(())
    };
    let webhooks = run_part("webhook service", webhooks, &after_gateway, &shutdown);
    let served = gateway.run_until_stopped(shutdown.requested()).await;
    after_gateway.request();
    let webhooks = webhooks.await.context("the webhook service was aborted")?;
    let commands = commands.await.context("the command service was aborted")?;
    after_commands.request();
    let projection = projection.await.context("the projection was aborted")?;
    operations.ended().await?;
    commands?;
    webhooks?;
    projection?;
    served?;
    Ok(ExitCode::SUCCESS)
}

/// The command service and the way to the owners: on Kafka, other processes may own partitions as well.
async fn commands(
    arguments: &Arguments,
    log: &Arc<dyn EventLog>,
) -> Result<(CommandService, Arc<dyn CommandRoute>)> {
    let log = log.clone();
    if arguments.log.is_embedded() {
        let commands = CommandService::build(&arguments.commands, log.clone(), Reach::InProcess).await?;
        let route = wiring::in_process(commands.queues(), log);
        return Ok((commands, route));
    }
    let token = service_token_or_fresh()?;
    let commands = CommandService::build(&arguments.commands, log.clone(), Reach::Http(&token)).await?;
    Ok((commands, Arc::new(OwnersOverHttp::try_new(log, token.into())?)))
}

/// With which name to sign in, and how to get one.
fn say_administrator(made: Option<&init::Administrator>, dev: bool) {
    match made {
        Some(made) => {
            say(&format!("  Sign in as   {}", made.username));
            say(&format!(
                "  Password     {} (temporary, shown this once, until {})",
                made.temporary_password, made.expires_at
            ));
        }
        None if dev => say("  Sign in as   the administrator that `muster init` or the first start has made"),
        // Whether there is one is not looked at here.
        None => say(
            "  Sign in as   the administrator that `muster init` has made; without one, end this and run it",
        ),
    }
}
