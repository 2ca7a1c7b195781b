//! Upload rules: files that match a pattern go from the agent to the platform.

use serde::{Deserialize, Serialize};

use crate::patch::Patch;
use crate::refusal::{Code, Refusal};
use crate::text;
use crate::validation::Validation;

const PATTERN_LENGTH: usize = 1_024;
const METADATA_BYTES: usize = 8 * 1_024;

/// The fields that only an upload has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Upload {
    /// Which files, as a glob or a regular expression.
    #[serde(rename = "matchPattern")]
    pub match_pattern: String,
    /// Whether the pattern is a regular expression.
    #[serde(rename = "regex")]
    pub regex: bool,
    /// Template of the name under which a file arrives. Empty keeps the name.
    #[serde(rename = "uploadFormat")]
    pub upload_format: String,
    /// Metadata of every file, in the given order.
    #[serde(rename = "metadata")]
    pub metadata: Vec<Entry>,
    /// What becomes of an uploaded file.
    #[serde(rename = "ackMode")]
    pub ack_mode: AckMode,
}

/// An entry of the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Entry {
    /// The entry's name.
    #[serde(rename = "key")]
    pub key: String,
    /// The entry's value.
    #[serde(rename = "value")]
    pub value: String,
}

/// What becomes of an uploaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum AckMode {
    /// It stays.
    #[serde(rename = "none")]
    None,
    /// It moves to the archive.
    #[serde(rename = "archive")]
    Archive,
    /// It is deleted.
    #[serde(rename = "delete")]
    Delete,
}

/// A new upload rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUpload {
    /// Which files.
    pub match_pattern: String,
    /// Whether the pattern is a regular expression.
    pub regex: bool,
    /// Template of the name under which a file arrives.
    pub upload_format: String,
    /// Metadata of every file.
    pub metadata: Vec<Entry>,
    /// What becomes of an uploaded file.
    pub ack_mode: AckMode,
}

/// Changes of an upload rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadChanges {
    /// Which files.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub match_pattern: Patch<String>,
    /// Whether the pattern is a regular expression.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub regex: Patch<bool>,
    /// Template of the name under which a file arrives.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub upload_format: Patch<String>,
    /// Metadata of every file.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub metadata: Patch<Vec<Entry>>,
    /// What becomes of an uploaded file.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub ack_mode: Patch<AckMode>,
}

impl NewUpload {
    pub(super) fn check(&self, check: &mut Validation) -> Option<Upload> {
        let match_pattern = check.field("matchPattern", pattern(&self.match_pattern, self.regex));
        let upload_format = check.field("uploadFormat", template(&self.upload_format));
        let metadata = check.field("metadata", metadata(&self.metadata));
        Some(Upload {
            match_pattern: match_pattern?,
            regex: self.regex,
            upload_format: upload_format?,
            metadata: metadata?,
            ack_mode: self.ack_mode,
        })
    }
}

impl UploadChanges {
    pub(super) fn check(&self, before: &Upload, check: &mut Validation) -> Option<Upload> {
        let regex = check.field("regex", self.regex.apply_required(&before.regex, |regex| Ok(*regex)))?;
        // An unchanged pattern is checked too: it may not be valid as the other sort.
        let match_pattern = self.match_pattern.apply_required(&before.match_pattern, |text| Ok(text.clone()));
        let match_pattern = check.field("matchPattern", match_pattern.and_then(|text| pattern(&text, regex)));
        let upload_format =
            self.upload_format.apply_optional(Some(&before.upload_format), |text| template(text).map(Some));
        let upload_format = check.field("uploadFormat", upload_format);
        let entries =
            self.metadata.apply_optional(Some(&before.metadata), |entries| metadata(entries).map(Some));
        let entries = check.field("metadata", entries);
        let ack_mode =
            check.field("ackMode", self.ack_mode.apply_required(&before.ack_mode, |mode| Ok(*mode)));
        Some(Upload {
            match_pattern: match_pattern?,
            regex,
            upload_format: upload_format?.unwrap_or_default(),
            metadata: entries?.unwrap_or_default(),
            ack_mode: ack_mode?,
        })
    }
}

fn pattern(text: &str, regex: bool) -> Result<String, Refusal> {
    let text = text::required(text, PATTERN_LENGTH)?;
    let (kind, valid) = if regex {
        ("regular expression", regex::Regex::new(&text).is_ok())
    } else {
        ("glob", globset::Glob::new(&text).is_ok())
    };
    if valid {
        Ok(text)
    } else {
        Err(Refusal::new(Code::InvalidFormat, format!("This is not a valid {kind}.")))
    }
}

fn template(text: &str) -> Result<String, Refusal> {
    text::optional(Some(text), PATTERN_LENGTH).map(Option::unwrap_or_default)
}

fn metadata(entries: &[Entry]) -> Result<Vec<Entry>, Refusal> {
    let bytes: usize = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
    if bytes > METADATA_BYTES {
        return Err(Refusal::new(Code::TooLong, "Keys and values together may have at most 8 KiB."));
    }
    let mut checked: Vec<Entry> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let at = |refusal: Refusal, part: &str| refusal.at(part).at(&index.to_string());
        let key = text::required(&entry.key, 64).map_err(|refusal| at(refusal, "key"))?;
        let value = text::optional(Some(&entry.value), 1_024).map_err(|refusal| at(refusal, "value"))?;
        if checked.iter().any(|other| other.key == key) {
            return Err(at(Refusal::new(Code::NameTaken, format!("The key `{key}` stands twice.")), "key"));
        }
        checked.push(Entry { key, value: value.unwrap_or_default() });
    }
    Ok(checked)
}
