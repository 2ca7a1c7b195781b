//! The deployment's secret keys: where they are, and `muster keys`, which shows and rotates them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use log_archive::{PublicKey, Signer};
use sealing::{KeyInfo, Keyring, Purpose};
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
    /// Prints purpose and name of each key, and what checkpoints are checked with. Never prints a secret key.
    Show(KeyLocation),
    /// Makes a new current key. Older keys stay, because what was sealed under them is still to be opened.
    Rotate(Rotate),
}

#[derive(clap::Args)]
struct Rotate {
    #[command(flatten)]
    at: KeyLocation,
    /// What the new key is for.
    #[arg(long, value_enum, default_value_t = ForPurpose::Seal)]
    purpose: ForPurpose,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ForPurpose {
    /// It seals the secrets of webhooks.
    Seal,
    /// It signs checkpoints of the log.
    Sign,
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
    let (at, keys) = match &arguments.command {
        Subcommands::Show(at) => (at, at.show()?),
        Subcommands::Rotate(Rotate { at, purpose }) => (at, at.rotate(*purpose)?),
    };
    for KeyInfo { purpose, id, is_current } in keys {
        say(&format!("{purpose} {id}{}", if is_current { " (current)" } else { "" }));
    }
    if let Some(key) = at.keys.public_keys(&at.log)?.first() {
        say(&format!("checkpoints are signed with {key}"));
    }
    Ok(ExitCode::SUCCESS)
}

impl KeyArguments {
    /// The keys, as every service uses them. `None` if a distributed deployment was given none.
    pub(crate) fn open(&self, log: &LogArguments) -> Result<Option<Keyring>> {
        if let Some(text) = self.given()? {
            return Ok(Some(Keyring::given(&text, VARIABLE)?));
        }
        let own = log.is_embedded().then(|| log.data_dir.join(FILE));
        match (&self.secret_key, own) {
            (Some(path), own) if own.as_ref() != Some(path) => Ok(Some(Keyring::in_file(path)?)),
            (_, Some(own)) => Ok(Some(Keyring::made_on_first_use(&own)?)),
            (_, None) => Ok(None),
        }
    }

    /// The keys, or an error that says how to give them.
    pub(crate) fn require(&self, log: &LogArguments) -> Result<Keyring> {
        self.open(log)?.context(
            "no secret key: set --secret-key (MUSTER_SECRET_KEY_FILE) to a file that `muster keys rotate --secret-key FILE` \
             makes, or MUSTER_SECRET_KEY to its text; every process of the deployment needs the same one",
        )
    }

    /// The key that signs checkpoints.
    pub(crate) fn signer(&self, log: &LogArguments) -> Result<Signer> {
        let keys = self.require(log)?.signing_keys()?;
        let secret = keys.first().context(
            "there is no key that signs among the secret keys; `muster keys rotate --purpose sign` makes one",
        )?;
        Ok(Signer::new(secret))
    }

    /// What checkpoints are checked with, the current key first. Makes none.
    pub(crate) fn public_keys(&self, log: &LogArguments) -> Result<Vec<PublicKey>> {
        let own = log.data_dir.join(FILE);
        let is_own = self.secret_key.as_ref().is_none_or(|path| *path == own);
        if is_own && log.is_embedded() && self.given()?.is_none() && !own.exists() {
            return Ok(Vec::new());
        }
        let Some(keys) = self.open(log)? else { return Ok(Vec::new()) };
        Ok(keys.signing_keys()?.iter().map(|secret| Signer::new(secret).public_key()).collect())
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

    fn rotate(&self, purpose: ForPurpose) -> Result<Vec<KeyInfo>> {
        if self.keys.given()?.is_some() {
            bail!("{VARIABLE} holds the keys themselves; rotate the file that they come from");
        }
        let purpose = match purpose {
            ForPurpose::Seal => Purpose::Seal,
            ForPurpose::Sign => Purpose::Sign,
        };
        Ok(sealing::rotate(&self.path()?, purpose)?)
    }
}

fn unreadable(path: &Path) -> String {
    format!("the key file `{}` can't be read", path.display())
}
