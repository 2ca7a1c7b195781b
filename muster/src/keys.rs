//! The deployment's secret keys: where they are, and `muster keys`, which shows and rotates them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sealing::{KeyInfo, Keyring};
use service_kit::settings;

use crate::store::{LogArguments, SECRET_KEY as VARIABLE, absolute};
use crate::wiring::say;

/// The file of the keys in a data directory.
const FILE: &str = "secret.key";

/// Where the secret keys are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeyArguments {
    /// The file with the deployment's secret keys, under which the secrets of webhooks are sealed. `MUSTER_SECRET_KEY` gives
    /// the keys themselves instead. Embedded, the file is made in the data directory when it is first needed.
    #[arg(long, env = "MUSTER_SECRET_KEY_FILE", value_name = "FILE")]
    pub(crate) secret_key: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Subcommand)]
enum Subcommands {
    /// Prints purpose and name of each key, and never a key.
    Show(KeyLocation),
    /// Makes a new current key. Older keys stay, because what was sealed under them is still to be opened.
    Rotate(KeyLocation),
}

#[derive(clap::Args)]
struct KeyLocation {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    keys: KeyArguments,
}

/// Shows or rotates.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let keys = match &arguments.command {
        Subcommands::Show(at) => at.show()?,
        Subcommands::Rotate(at) => at.rotate()?,
    };
    for KeyInfo { purpose, id, is_current } in keys {
        say(&format!("{purpose} {id}{}", if is_current { " (current)" } else { "" }));
    }
    Ok(ExitCode::SUCCESS)
}

impl KeyArguments {
    /// The keys, as every service uses them. `None` if a distributed deployment was given none.
    pub(crate) fn open(&self, log: &LogArguments) -> Result<Option<Keyring>> {
        if let Some(text) = self.given()? {
            return Ok(Some(Keyring::given(&text, VARIABLE)?));
        }
        match (&self.secret_key, log.is_embedded()) {
            (Some(path), _) => Ok(Some(Keyring::in_file(path)?)),
            (None, true) => Ok(Some(Keyring::made_on_first_use(&log.data_dir.join(FILE))?)),
            (None, false) => Ok(None),
        }
    }

    /// The keys, or an error that says how to give them.
    pub(crate) fn require(&self, log: &LogArguments) -> Result<Keyring> {
        self.open(log)?.context(
            "no secret key: set --secret-key (MUSTER_SECRET_KEY_FILE) to a file that `muster keys rotate --secret-key FILE` \
             makes, or MUSTER_SECRET_KEY to its text; every process of the deployment needs the same one",
        )
    }

    /// The text of the keys in the environment.
    fn given(&self) -> Result<Option<String>> {
        match std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty()) {
            Some(_) if self.secret_key.is_some() => {
                Err(settings::SettingsError::Both { variable: VARIABLE }.into())
            }
            given => Ok(given),
        }
    }
}

impl KeyLocation {
    fn path(&self) -> Result<PathBuf> {
        match &self.keys.secret_key {
            Some(path) => Ok(path.clone()),
            None if self.log.is_embedded() => Ok(self.log.data_dir.join(FILE)),
            None => bail!("--secret-key (MUSTER_SECRET_KEY_FILE) must name the key file"),
        }
    }

    fn show(&self) -> Result<Vec<KeyInfo>> {
        if let Some(text) = self.keys.given()? {
            return Ok(Keyring::show(&text, VARIABLE)?);
        }
        let path = self.path()?;
        if !path.exists() {
            bail!("there is no key file `{}` yet", absolute(&path));
        }
        let text = std::fs::read_to_string(&path).with_context(|| unreadable(&path))?;
        Ok(Keyring::show(&text, &format!("`{}`", path.display()))?)
    }

    fn rotate(&self) -> Result<Vec<KeyInfo>> {
        if self.keys.given()?.is_some() {
            bail!("{VARIABLE} holds the keys themselves; rotate the file that they come from");
        }
        Ok(sealing::rotate(&self.path()?)?)
    }
}

fn unreadable(path: &Path) -> String {
    format!("the key file `{}` can't be read", path.display())
}
