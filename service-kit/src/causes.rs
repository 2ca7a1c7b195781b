//! An error with everything that caused it, as one line of text.

use std::error::Error;
use std::fmt;

/// Shows an error and its causes, separated by colons. A cause that the text before it ends with is not repeated.
pub struct Causes<'a>(pub &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let cause = error.to_string();
            if !text.ends_with(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
            source = error.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Option<Box<Layer>> {
        let (text, rest) = texts.split_first()?;
        Some(Box::new(Layer { text, source: layers(rest) }))
    }

    #[test]
    fn f31_every_cause_is_said_once() {
        let said = |texts: &[&'static str]| Causes(&*layers(texts).unwrap()).to_string();
        assert_eq!(said(&["no views", "pool timed out", "refused"]), "no views: pool timed out: refused");
        assert_eq!(said(&["not sent: refused", "refused"]), "not sent: refused");
        assert_eq!(said(&["alone"]), "alone");
    }
}
