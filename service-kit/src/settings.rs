//! Settings from flags, environment and a file; secrets from environment or a file of their own.

use std::collections::BTreeSet;
use std::path::Path;

/// Settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there or not readable.
    #[error("the settings file `{path}` can't be read")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the settings file `{path}` is not valid TOML")]
    Toml {
        /// Which file.
        path: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// The file sets something that does not exist.
    #[error("the settings file `{path}` sets `{key}`, which is no setting")]
    Unknown {
        /// Which file.
        path: String,
        /// Which key.
        key: String,
    },
    /// The value is no text, number or truth, and no list of these for a setting that takes several.
    #[error(
        "the settings file `{path}` gives `{key}` a value that is not plain text, a number or true or false"
    )]
    Value {
        /// Which file.
        path: String,
        /// Which key.
        key: String,
    },
    /// A secret stands in both places.
    #[error("{variable} and {variable}_FILE are both set; give one of them")]
    Both {
        /// The variable.
        variable: &'static str,
    },
    /// A secret's file is not readable.
    #[error("the file that {variable}_FILE names can't be read")]
    SecretFile {
        /// The variable.
        variable: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Makes what a TOML file says the default of each setting of `command` and its subcommands: flags and environment
/// still win. Keys are the flags' names with `_` or `-`. A setting that takes several values may have them as a list.
pub fn with_file(command: clap::Command, path: &Path) -> Result<clap::Command, SettingsError> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|source| SettingsError::File { path: name.clone(), source })?;
    let table: toml::Table = text
        .parse()
        .map_err(|source| SettingsError::Toml { path: name.clone(), source: Box::new(source) })?;
    let mut command = command;
    for (key, value) in table {
        let id = key.replace('-', "_");
        let Some(setting) = find(&command, &id) else {
            return Err(SettingsError::Unknown { path: name, key });
        };
        let values = match value {
            toml::Value::Array(values) if setting.get_value_delimiter().is_some() => {
                values.iter().map(plain).collect()
            }
            value => plain(&value).map(|text| vec![text]),
        };
        let values = values.ok_or(SettingsError::Value { path: name.clone(), key })?;
        command = with_defaults(command, &id, &values);
    }
    Ok(command)
}

/// A value that is one text on a command line.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn find<'a>(command: &'a clap::Command, id: &str) -> Option<&'a clap::Arg> {
    command
        .get_arguments()
        .find(|argument| argument.get_id() == id && argument.get_env().is_some())
        .or_else(|| command.get_subcommands().find_map(|subcommand| find(subcommand, id)))
}

fn with_defaults(command: clap::Command, id: &str, values: &[String]) -> clap::Command {
    let has = command.get_arguments().any(|argument| argument.get_id() == id);
    let defaults = values.iter().cloned().map(clap::builder::OsStr::from);
    let command =
        if has { command.mut_arg(id, |argument| argument.default_values(defaults)) } else { command };
    command.mut_subcommands(|subcommand| with_defaults(subcommand, id, values))
}

/// Variables `MUSTER_…` of the environment that no setting of any subcommand reads, beside those in `also` and those
/// that name servers for tests.
pub fn unknown_variables(command: &clap::Command, also: &[&str]) -> Vec<String> {
    let mut known: BTreeSet<String> = also.iter().map(|&name| name.to_owned()).collect();
    collect(command, &mut known);
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| {
            name.starts_with("MUSTER_") && !name.starts_with("MUSTER_TEST_") && !known.contains(name)
        })
        .collect()
}

fn collect(command: &clap::Command, known: &mut BTreeSet<String>) {
    let variables =
        command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned));
    known.extend(variables);
    for subcommand in command.get_subcommands() {
        collect(subcommand, known);
    }
}

/// A secret from the variable, or from the file that `<variable>_FILE` names; white space at its ends is dropped.
pub fn secret(variable: &'static str) -> Result<Option<String>, SettingsError> {
    let given = std::env::var(variable).ok();
    let file = std::env::var_os(format!("{variable}_FILE"));
    let text = match (given, file) {
        (Some(_), Some(_)) => return Err(SettingsError::Both { variable }),
        (Some(text), None) => text,
        (None, Some(path)) => {
            std::fs::read_to_string(path).map_err(|source| SettingsError::SecretFile { variable, source })?
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> clap::Command {
        let listen = clap::Arg::new("listen").long("listen").env("MUSTER_TEST_LISTEN").default_value("a");
        let proxies =
            clap::Arg::new("proxies").long("proxies").env("MUSTER_TEST_PROXIES").value_delimiter(',');
        let proxies = proxies.action(clap::ArgAction::Append);
        clap::Command::new("muster").subcommand(clap::Command::new("serve").args([listen, proxies]))
    }

    fn values(file: &str, flags: &[&str]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("muster.toml");
        std::fs::write(&path, file).unwrap();
        let arguments = ["muster", "serve"].iter().chain(flags);
        let matches = with_file(command(), &path).unwrap().get_matches_from(arguments);
        let values = matches.subcommand().unwrap().1.get_many::<String>("proxies");
        values.into_iter().flatten().cloned().collect()
    }

    #[test]
    fn a_setting_of_several_values_takes_a_list_or_a_text() {
        assert_eq!(values("proxies = []", &[]), [""; 0]);
        assert_eq!(values("proxies = [\"a\", \"b\"]", &[]), ["a", "b"]);
        assert_eq!(values("proxies = \"a,b\"", &[]), ["a", "b"]);
        assert_eq!(values("proxies = [\"a\", \"b\"]", &["--proxies", "c"]), ["c"]);
    }

    fn value(file: &str, flags: &[&str]) -> Result<String, SettingsError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("muster.toml");
        std::fs::write(&path, file).unwrap();
        let arguments = ["muster", "serve"].iter().chain(flags);
        let matches = with_file(command(), &path)?.get_matches_from(arguments);
        Ok(matches.subcommand().unwrap().1.get_one::<String>("listen").unwrap().clone())
    }

    #[test]
    fn the_file_is_a_default_and_a_flag_wins() {
        assert_eq!(value("listen = \"b\"", &[]).unwrap(), "b");
        assert_eq!(value("listen = \"b\"", &["--listen", "c"]).unwrap(), "c");
    }

    #[test]
    fn what_is_no_setting_is_refused_by_name() {
        assert!(
            matches!(value("lisen = \"b\"", &[]), Err(SettingsError::Unknown { key, .. }) if key == "lisen")
        );
        assert!(matches!(value("listen = [1]", &[]), Err(SettingsError::Value { .. })));
        assert!(matches!(value("listen = ", &[]), Err(SettingsError::Toml { .. })));
    }
}
