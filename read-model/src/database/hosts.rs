//! The servers that a PostgreSQL URL names: one or several hosts, and whether the one in use must take writes.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::limits::STATEMENTS;
use crate::error::Error;

/// What a URL says about servers.
#[derive(Debug)]
pub(super) struct Hosts {
    /// How to connect to each, in the order of the URL.
    pub(super) options: Vec<PgConnectOptions>,
    /// `target_session_attrs` asks for a server that takes writes.
    pub(super) must_write: bool,
}

impl Hosts {
    /// Reads `postgres://user:password@host:port,host:port/database?target_session_attrs=read-write`.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let at = if authority.contains('@') { "@" } else { "" };
        let (attributes, kept): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .partition(|pair| pair.starts_with("target_session_attrs="));
        let must_write = match attributes.last().and_then(|pair| pair.split_once('=')) {
            None | Some((_, "any")) => false,
            Some((_, "read-write" | "primary")) => true,
            Some((_, other)) => {
                return Err(Error::Unsuitable(format!(
                    "`target_session_attrs={other}` is not for the views, which are written: give `read-write`, \
                     `primary` or `any`"
                )));
            }
        };
        let kept = kept.join("&");
        let options = hosts.split(',').map(|host| {
            let url = format!("{scheme}://{user}{at}{host}/{path}?{kept}");
            let options = PgConnectOptions::from_str(&url)?
                .application_name("muster")
                // A pooler need not know it, and no column holds a float.
                .extra_float_digits(None)
                .statement_cache_capacity(STATEMENTS)
                .disable_statement_logging();
            Ok::<_, Error>(options)
        });
        Ok(Self { options: options.collect::<Result<_, _>>()?, must_write })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> Vec<(String, u16)> {
        let parsed = Hosts::parse(url).unwrap();
        parsed.options.iter().map(|one| (one.get_host().to_owned(), one.get_port())).collect()
    }

    #[test]
    fn f03_a_url_may_name_several_hosts_and_ask_for_one_that_takes_writes() {
        let url =
            "postgres://muster:p%40ss@one:5433,two/views?target_session_attrs=read-write&sslmode=disable";
        assert_eq!(hosts(url), [("one".to_owned(), 5433), ("two".to_owned(), 5432)]);
        let parsed = Hosts::parse(url).unwrap();
        assert!(parsed.must_write);
        assert!(parsed.options.iter().all(|one| one.get_database() == Some("views")));
        assert!(parsed.options.iter().all(|one| one.get_username() == "muster"));
        assert!(!Hosts::parse("postgres://muster@one/views").unwrap().must_write);
        let refused = Hosts::parse("postgres://one/views?target_session_attrs=standby").unwrap_err();
        assert!(refused.to_string().contains("standby"), "{refused}");
    }
}
