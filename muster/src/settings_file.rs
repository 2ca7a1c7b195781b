//! `muster settings`: every setting with its default, unit and description, as a file for `--config`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Arg;

use crate::wiring::say;

const HEAD: &str = "\
## Every setting of Muster, with the value that it has without this file. `muster settings` prints this.
##
## Use it with `muster --config muster.toml`, and remove the `# ` before what you change. Flags and MUSTER_… variables win
## over the file. Each command takes what it reads and passes over the rest. A name that is no setting is refused.
##
## Above each setting stand its description, its flag with the unit of the value, and its variable. A DURATION is a whole
## number with ms, s, m, h or d behind it, such as 500ms or 24h.
##
## Secrets do not belong here: MUSTER_SERVICE_TOKEN and a MUSTER_VIEWS with a password are variables, or files that
## MUSTER_SERVICE_TOKEN_FILE and MUSTER_VIEWS_FILE name.
";

/// What stands for the default of a setting that has none: the value that works the same, and when it does.
const WITHOUT_DEFAULT: [(&str, &str, &str); 7] = [
    ("admin_host", "\"admin.example.org\"", "This is an example."),
    ("advertise", "\"http://127.0.0.1:8081\"", "This is that of `commands_listen` as it stands here."),
    ("dev", "true", "On for an embedded `muster serve` on a loopback address, else off."),
    ("trusted_proxies", "[]", ""),
    ("user_host", "\"portal.example.org\"", "This is an example."),
    ("webhook_networks", "[]", ""),
    ("secret_key", "\"./data/secret.key\"", "Embedded it is this one, made when it is first needed."),
];

/// Longest line.
const WIDTH: usize = 120;

/// Prints the file.
pub(crate) fn run(command: &clap::Command) -> Result<ExitCode> {
    say(text(command)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// The file for the settings of `command` and its subcommands: one section for each set of commands that read the same.
fn text(command: &clap::Command) -> Result<String> {
    let mut text = HEAD.to_owned();
    for (readers, settings) in sections(command) {
        let readers = if readers.is_empty() { "every command".to_owned() } else { readers.join(", ") };
        text.push('\n');
        paragraph(&mut text, "## == ", &format!("Read by {readers}"));
        for setting in settings {
            text.push('\n');
            entry(&mut text, setting)?;
        }
    }
    Ok(text)
}

type Section<'a> = (Vec<&'a str>, Vec<&'a Arg>);

/// The settings by the commands that read them, in the order of their declaration.
fn sections(command: &clap::Command) -> Vec<Section<'_>> {
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut settings: Vec<&Arg> = of(command);
    for subcommand in command.get_subcommands() {
        for setting in all(subcommand) {
            let readers = readers.entry(setting.get_id().as_str()).or_default();
            if readers.is_empty() {
                settings.push(setting);
            }
            if !readers.contains(&subcommand.get_name()) {
                readers.push(subcommand.get_name());
            }
        }
    }
    let mut sections: Vec<Section<'_>> = Vec::new();
    for setting in settings {
        let of = readers.get(setting.get_id().as_str()).cloned().unwrap_or_default();
        match sections.iter_mut().find(|(readers, _)| *readers == of) {
            Some((_, settings)) => settings.push(setting),
            None => sections.push((of, vec![setting])),
        }
    }
    sections
}

/// The settings of a command itself. The name of the file is none.
fn of(command: &clap::Command) -> Vec<&Arg> {
    command
        .get_arguments()
        .filter(|argument| argument.get_env().is_some() && argument.get_id() != "config")
        .collect()
}

fn all(command: &clap::Command) -> Vec<&Arg> {
    of(command).into_iter().chain(command.get_subcommands().flat_map(all)).collect()
}

fn entry(text: &mut String, setting: &Arg) -> Result<()> {
    let id = setting.get_id().as_str();
    let given = setting.get_default_values();
    let (value, note) = match given {
        [] => WITHOUT_DEFAULT
            .iter()
            .find(|(name, ..)| *name == id)
            .map(|(_, value, note)| ((*value).to_owned(), *note))
            .with_context(|| format!("the setting `{id}` has no default and no value to be shown"))?,
        [value] => (toml(&value.to_string_lossy()), ""),
        _ => anyhow::bail!("the setting `{id}` has several defaults"),
    };
    let help = setting.get_help().with_context(|| format!("the setting `{id}` has no description"))?;
    let help = format!("{help}{}", if help.to_string().ends_with('.') { "" } else { "." });
    paragraph(text, "## ", format!("{help} {note}").trim_end());
    let flag = setting.get_long().with_context(|| format!("the setting `{id}` has no flag"))?;
    let variable = setting.get_env().unwrap_or_default().to_string_lossy();
    paragraph(text, "## ", &format!("--{flag} {}, {variable}", unit(setting)));
    text.extend(["# ", id, " = ", value.as_str(), "\n"]);
    Ok(())
}

/// What the value is: the choices, or the name that the help gives it.
fn unit(setting: &Arg) -> String {
    let choices: Vec<_> = setting.get_possible_values().iter().map(|it| it.get_name().to_owned()).collect();
    let names = setting.get_value_names().unwrap_or_default();
    if choices.is_empty() { names.join(" ") } else { choices.join("|") }
}

/// A value as TOML: a number or a truth as it stands, anything else as a text.
fn toml(value: &str) -> String {
    if value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok() {
        return value.to_owned();
    }
    serde_json::Value::from(value).to_string()
}

/// Adds words in lines that begin with `start`, or with blanks as long behind the comment sign. That is `##`, so that
/// words stay comments when every `# ` is removed.
fn paragraph(text: &mut String, start: &str, words: &str) {
    let mut line = start.to_owned();
    for word in words.split_whitespace() {
        if line.len() + word.len() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = format!("##{}", " ".repeat(start.len() - 2));
        }
        line.push_str(word);
        line.push(' ');
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use service_kit::settings;

    use super::*;
    use crate::cli::Cli;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../muster.example.toml");

    fn committed() -> String {
        std::fs::read_to_string(COMMITTED).unwrap()
    }

    /// The name of the setting whose line this is.
    fn name(line: &str) -> Option<&str> {
        let (name, _) = line.strip_prefix("# ")?.split_once(" = ")?;
        name.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some(name)
    }

    /// With the first comment sign of every line removed.
    fn uncommented() -> String {
        let line = |line: &str| line.strip_prefix('#').unwrap_or(line).trim_start().to_owned();
        committed().lines().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn f45_the_example_is_what_the_program_prints() {
        let hint = "muster settings > muster.example.toml";
        assert!(committed() == text(&Cli::command()).unwrap(), "{COMMITTED} is out of date: {hint}");
    }

    #[test]
    fn f45_every_setting_stands_in_the_example_once_with_its_unit() {
        let command = Cli::command();
        let mut settings: Vec<_> =
            all(&command).into_iter().map(|setting| (setting.get_id().to_string(), unit(setting))).collect();
        settings.sort();
        settings.dedup();
        let committed = committed();
        let mut named: Vec<_> = committed.lines().filter_map(name).map(str::to_owned).collect();
        named.sort();
        assert_eq!(named, settings.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
        assert!(named.len() > 35, "{named:?}");
        for (id, unit) in settings {
            // The name of the field is what the help shows where nobody gave a unit.
            let is_given = unit != id.to_uppercase() || id == "partitions";
            assert!(!unit.is_empty() && is_given, "{id} has no unit: give it a `value_name`");
        }
    }

    #[test]
    fn f45_every_command_takes_the_example_as_it_is_and_uncommented() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("muster.toml");
        for content in [committed(), uncommented()] {
            std::fs::write(&path, &content).unwrap();
            for typed in [
                "serve",
                "command-service",
                "projection-service",
                "graphql-gateway",
                "init --username alice",
                "topics",
                "projection status",
                "projection retry",
                "projection skip user-events-0 1 --reason why",
                "log tail",
                "log verify",
                "schemas",
                "settings",
            ] {
                let command = settings::with_file(Cli::command(), &path).unwrap();
                let read = command.try_get_matches_from(["muster"].into_iter().chain(typed.split(' ')));
                assert!(read.is_ok(), "{typed}: {}", read.unwrap_err());
            }
        }
    }
}
