//! Rewrites escapes of string literals that the parser refuses: `\u{20BB7}`, and pairs of surrogates such as
//! `\uD842\uDFB7` (GraphQL of September 2025, "String Value").

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter;

/// The document with each such escape replaced by its character. Block strings, comments and everything that is not such
/// an escape stay as they are, so that the parser reports what is invalid. Tokens behind a string keep their columns.
pub(super) fn translated(source: &str) -> Cow<'_, str> {
    if !source.contains("\\u") {
        return Cow::Borrowed(source);
    }
    let (mut out, mut rest) = (String::with_capacity(source.len()), source);
    while let Some(at) = rest.find(['"', '#']) {
        let (before, token) = rest.split_at(at);
        out.push_str(before);
        let end = if token.starts_with('#') {
            token.find(['\n', '\r'])
        } else if token.starts_with("\"\"\"") {
            block_end(token)
        } else {
            string_end(token)
        };
        let (token, after) = token.split_at(end.unwrap_or(token.len()));
        if token.starts_with('"') && !token.starts_with("\"\"\"") {
            push_string(&mut out, token);
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The end of the block string at the beginning of the text.
fn block_end(text: &str) -> Option<usize> {
    let mut at = 3;
    loop {
        let end = at + text[at..].find("\"\"\"")?;
        if !text[..end].ends_with('\\') {
            return Some(end + 3);
        }
        at = end + 3;
    }
}

/// The end of the string at the beginning of the text, or of the line if it isn't closed.
fn string_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return Some(at),
            '"' if !is_escaped => return Some(at + 1),
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    None
}

fn push_string(out: &mut String, string: &str) {
    let (mut rest, begin) = (string, out.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (length, c) = if let Some((length, c)) = braced(escape).or_else(|| surrogates(escape)) {
            (length, Some(c))
        } else {
            // The backslash and what it hides.
            (1 + escape.chars().nth(1).map_or(0, char::len_utf8), None)
        };
        match c {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) if c.is_control() => {
                write!(out, "\\u{:04X}", u32::from(c)).expect("a string takes all text");
            }
            Some(c) => out.push(c),
            None => out.push_str(&escape[..length]),
        }
        rest = &escape[length..];
    }
    out.push_str(rest);
    // Spaces are insignificant between tokens.
    let missing = string.chars().count().saturating_sub(out[begin..].chars().count());
    out.extend(iter::repeat_n(' ', missing));
}

/// `\u{…}`: its length, and the character. `None` if it is no such escape, or names no Unicode scalar value.
fn braced(text: &str) -> Option<(usize, char)> {
    let digits = text.strip_prefix("\\u{")?;
    let digits = &digits[..digits.find('}')?];
    Some((digits.len() + 4, char::from_u32(hex(digits)?)?))
}

/// `\uD83D\uDE00`: the length of a leading and a trailing surrogate, and the character.
fn surrogates(text: &str) -> Option<(usize, char)> {
    let half = |at: usize| hex(text.get(at..)?.strip_prefix("\\u")?.get(..4)?);
    let (lead, trail) = (half(0)?, half(6)?);
    if !(0xD800..0xDC00).contains(&lead) || !(0xDC00..0xE000).contains(&trail) {
        return None;
    }
    Some((12, char::from_u32(0x1_0000 + ((lead - 0xD800) << 10) + (trail - 0xDC00))?))
}

fn hex(digits: &str) -> Option<u32> {
    let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::{ExecutableDocument, Selection};
    use async_graphql_value::Value;

    use super::*;

    /// The value of the first argument of the first field.
    fn value(document: &ExecutableDocument) -> String {
        let (_, operation) = document.operations.iter().next().unwrap();
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
            panic!("a field")
        };
        match &field.node.arguments[0].1.node {
            Value::String(text) => text.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn f24_every_escape_of_a_character_is_that_character() {
        for (literal, expected) in [
            (r#""\uD842\uDFB7""#, "𠮷"),
            (r#""\u{20BB7}""#, "𠮷"),
            (r#""\u{000041}\u{41}\u0041""#, "AAA"),
            (r#""\u{22}\u{5C}\u{A}\u{0}""#, "\"\\\n\0"),
            (r#""\\u{41} \\\u{41} \"\u{41}""#, "\\u{41} \\A \"A"),
            (r#""""\u{41} \""" "\u{42}" """"#, "\\u{41} \\\"\"\" \"\\u{42}\" "),
        ] {
            let source = format!("# \"\\u{{\n{{ a(b: {literal}, c: \"\") }} # \\u{{41}} \"");
            let document = parse_query(translated(&source)).expect(&source);
            assert_eq!(value(&document), expected, "{source}");
        }
    }

    #[test]
    fn f24_what_is_no_character_is_still_an_error_at_its_place() {
        for literal in [
            r"\uD842",
            r"\uDFB7",
            r"\uDFB7\uD842",
            r"\uD842\u0041",
            r"\u{D842}",
            r"\u{110000}",
            r"\u{}",
            r"\u{+1}",
        ] {
            let source = format!("{{\n  a(b: \"\\u{{20BB7}}\", c: \"{literal}\") }}");
            let error = parse_query(translated(&source)).expect_err(&source);
            let at = error.positions().next().unwrap();
            assert!(at.line == 2 && at.column == 24, "{source}: {at:?}");
        }
    }

    #[test]
    fn what_is_behind_a_string_keeps_its_column() {
        let source = "{ a(b: \"\\uD842\\uDFB7\") c }";
        let translated = translated(source);
        let column = |text: &str| text.chars().position(|c| c == 'c');
        assert_eq!(column(&translated), column(source));
        assert!(matches!(super::translated("{ a }"), Cow::Borrowed(_)));
    }
}
