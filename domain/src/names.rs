//! Names of users and groups. SFTP homes and topics downstream carry them, so they are short, plain and permanent.

use std::fmt;

use crate::refusal::{Code, Refusal};

/// Names that nobody may take, by exact match.
const RESERVED: [&str; 24] = [
    "admin",
    "anonymous",
    "api",
    "bin",
    "daemon",
    "default",
    "false",
    "guest",
    "localhost",
    "me",
    "muster",
    "nobody",
    "none",
    "null",
    "operator",
    "postmaster",
    "public",
    "root",
    "self",
    "support",
    "system",
    "true",
    "undefined",
    "user",
];

/// A valid, lower-cased username.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    /// Fewest characters.
    pub const SHORTEST: usize = 3;
    /// Most characters.
    pub const LONGEST: usize = 64;

    /// Lower-cases and checks what somebody typed.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = plain_name(text, Self::SHORTEST, Self::LONGEST)?;
        if RESERVED.binary_search(&name.as_str()).is_ok() {
            return Err(Refusal::new(Code::Reserved, format!("`{name}` is a reserved name.")));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A valid, lower-cased name of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(String);

impl GroupName {
    /// Lower-cases and checks what somebody typed: 2 to 64 characters of the username alphabet.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        plain_name(text, 2, 64).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-cases and checks a name of the username alphabet.
fn plain_name(text: &str, shortest: usize, longest: usize) -> Result<String, Refusal> {
    let length = text.chars().count();
    if length == 0 {
        return Err(Refusal::new(Code::Required, "A name must be given."));
    }
    if length > longest {
        return Err(Refusal::new(Code::TooLong, format!("A name has at most {longest} characters.")));
    }
    let name = text.to_lowercase();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !name.chars().all(is_plain) || !starts_well || name.contains("..") {
        return Err(Refusal::new(
            Code::InvalidFormat,
            "A name consists of letters a to z, digits and . _ - only, starts with a letter or digit and has no two dots in a row.",
        ));
    }
    if length < shortest {
        return Err(Refusal::new(Code::TooShort, format!("A name has at least {shortest} characters.")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        Username::parse(text).unwrap_err().code
    }

    #[test]
    fn a_name_is_lower_cased() {
        assert_eq!(Username::parse("Alice.B-1_x").unwrap().as_str(), "alice.b-1_x");
        // The Kelvin sign is a capital k.
        assert_eq!(Username::parse("\u{212a}im").unwrap().as_str(), "kim");
    }

    #[test]
    fn bad_names_are_refused_by_what_is_wrong() {
        assert_eq!(code(""), Code::Required);
        assert_eq!(code("ab"), Code::TooShort);
        assert_eq!(code(&"a".repeat(65)), Code::TooLong);
        for name in ["a b c", ".abc", "-abc", "a..b", "ålice", "a/b", "abc\n", "abc ", "用户名"] {
            assert_eq!(code(name), Code::InvalidFormat, "{name}");
        }
    }

    #[test]
    fn reserved_names_are_refused_by_exact_match() {
        assert!(RESERVED.is_sorted());
        assert_eq!(code("Root"), Code::Reserved);
        for name in ["administrator", "root-admin", "admins"] {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
    }
}
