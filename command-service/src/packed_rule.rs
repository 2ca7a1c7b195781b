//! The packed form of an agent rule, as part of a packed user. See [`packed_user`](crate::packed_user) for how it may change.

use std::borrow::Cow;

use domain::id::RuleId;
use domain::timestamp::Timestamp;
use domain::user::rules::{DeliverPolicy, Download, Kind, Rule, Upload};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One agent rule.
#[derive(Serialize, Deserialize)]
pub(crate) struct PackedRule<'a> {
    id: [u8; 16],
    name: &'a str,
    active: bool,
    poll_interval: u32,
    subscribers: u32,
    #[serde(borrow)]
    kind: PackedKind<'a>,
}

#[derive(Serialize, Deserialize)]
enum PackedKind<'a> {
    Upload(Cow<'a, Upload>),
    Download {
        mailbox: &'a str,
        deliver_policy: DeliverPolicy,
        start_time: Option<i64>,
        download_path: &'a str,
        max_files: u32,
    },
}

impl<'a> PackedRule<'a> {
    pub(crate) fn pack(rule: &'a Rule) -> Self {
        let Rule { id, name, active, poll_interval, subscribers, kind } = rule;
        let kind = match kind {
            Kind::Upload(upload) => PackedKind::Upload(Cow::Borrowed(upload)),
            Kind::Download(download) => PackedKind::Download {
                mailbox: &download.mailbox,
                deliver_policy: download.deliver_policy,
                start_time: download.start_time.map(Timestamp::micros),
                download_path: &download.download_path,
                max_files: download.max_files,
            },
        };
        Self {
            id: id.uuid().into_bytes(),
            name,
            active: *active,
            poll_interval: *poll_interval,
            subscribers: *subscribers,
            kind,
        }
    }

    pub(crate) fn unpack(self) -> Rule {
        Rule {
            id: RuleId::from_uuid(Uuid::from_bytes(self.id)),
            name: self.name.to_owned(),
            active: self.active,
            poll_interval: self.poll_interval,
            subscribers: self.subscribers,
            kind: match self.kind {
                PackedKind::Upload(upload) => Kind::Upload(upload.into_owned()),
                PackedKind::Download { mailbox, deliver_policy, start_time, download_path, max_files } => {
                    Kind::Download(Download {
                        mailbox: mailbox.to_owned(),
                        deliver_policy,
                        start_time: start_time.map(Timestamp::from_micros),
                        download_path: download_path.to_owned(),
                        max_files,
                    })
                }
            },
        }
    }
}
