//! Varied records of every kind, made up: names, addresses and programs are put together at random.

use std::fmt::Write;

use domain::actor::Client;
use domain::timestamp::Timestamp;
use fastrand::Rng;
use log_model::record::Record;
use uuid::Uuid;

use crate::chain::Chain;
use crate::envelope::Envelope;

const SYLLABLES: [&str; 40] = [
    "an", "bel", "ca", "do", "el", "fi", "ga", "han", "is", "ja", "ko", "la", "ma", "ni", "ol", "pe", "qui",
    "ra", "sa", "to", "ul", "va", "wen", "xi", "ya", "zo", "ber", "char", "den", "ers", "for", "gen", "her",
    "ing", "jon", "lin", "mar", "nor", "son", "ter",
];
const SYSTEMS: [&str; 9] = [
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "Macintosh; Intel Mac OS X 14_6_1",
    "X11; Linux x86_64",
    "X11; Ubuntu; Linux x86_64",
    "iPhone; CPU iPhone OS 18_5 like Mac OS X",
    "iPad; CPU OS 17_7 like Mac OS X",
    "Linux; Android 15; Pixel 8",
    "Linux; Android 14; SM-S911B",
];
const PROGRAMS: [&str; 12] = [
    "curl/8.",
    "Wget/1.",
    "python-requests/2.",
    "python-httpx/0.",
    "Go-http-client/1.",
    "okhttp/4.",
    "axios/1.",
    "node-fetch/3.",
    "Apache-HttpClient/5.",
    "Java/21.0.",
    "PostmanRuntime/7.",
    "rclone/v1.",
];

/// Makes records. The same seed makes the same ones.
pub(super) struct Samples {
    random: Rng,
    agents: Vec<String>,
    at: i64,
}

impl Samples {
    pub(super) fn new(seed: u64) -> Self {
        let mut samples =
            Self { random: Rng::with_seed(seed), agents: Vec::new(), at: 1_790_000_000_000_000 };
        samples.agents = (0..400).map(|_| samples.agent()).collect();
        samples
    }

    /// The next record.
    pub(super) fn record(&mut self) -> Record {
        self.at += self.random.i64(1_000..10_000_000);
        match self.random.u8(..100) {
            0..80 => self.event(),
            80..88 => self.access(),
            88..97 => self.credential(),
            _ => self.reservation(),
        }
    }

    /// The next event of a user or group, with its chain value.
    pub(super) fn event(&mut self) -> Record {
        let (kind, name, body) = self.event_data();
        let subject = format!("{kind}_{}", self.id());
        let by_itself = self.random.u8(..10) < 4;
        let command = self.id();
        let envelope = Envelope {
            id: self.record_id(),
            time: Timestamp::from_micros(self.at),
            actor: if by_itself { subject.clone() } else { format!("user_{}", self.id()) },
            subject,
            sequence: self.random.u64(1..40),
            command_digest: self.hex(32),
            correlation_id: if self.random.bool() { command.clone() } else { self.id() },
            command_id: command,
            actor_name: self.username(),
            actor_role: Some(if by_itself { "user" } else { "administrator" }.to_owned()),
            client: self.client(),
            traceparent: (self.random.u8(..10) < 7)
                .then(|| format!("00-{}-{}-0{}", self.hex(16), self.hex(8), self.random.u8(..2))),
        };
        let mut record = envelope.record(&name, body.into_bytes());
        let mut chain = Chain::default();
        chain.seal(&mut record);
        record
    }

    fn access(&mut self) -> Record {
        let service = self.one_of(&["portal", "sftp", "mailbox", "gateway", "agent"]);
        let user = format!("user_{}", self.id());
        let name = self.username();
        let (what, body) = match self.random.u8(..10) {
            0..6 => ("signed_in", format!(r#"{{"service":"{service}"}}"#)),
            6..9 => {
                let reason = self.one_of(&["wrong_secret", "unknown_user", "not_active", "throttled"]);
                let count = self.random.u8(1..20);
                (
                    "sign_in_failed",
                    format!(r#"{{"service":"{service}","reason":"{reason}","count":{count}}}"#),
                )
            }
            _ => {
                let command = self.one_of(&["RegisterUser", "ApproveUser", "SuspendUser", "UpdateProfile"]);
                let codes = self.one_of(&["name_taken", "email_taken", "not_pending", "stale_version"]);
                let target = format!(r#""target":"{user}","targetName":"{name}","codes":["{codes}"]"#);
                ("command_refused", format!(r#"{{"command":"{command}",{target},"count":1}}"#))
            }
        };
        Envelope {
            id: self.record_id(),
            time: Timestamp::from_micros(self.at),
            subject: user.clone(),
            sequence: 0,
            command_id: String::new(),
            command_digest: String::new(),
            correlation_id: self.id(),
            actor: user,
            actor_name: name,
            actor_role: None,
            client: self.client(),
            traceparent: None,
        }
        .record(&format!("muster.access.{what}"), body.into_bytes())
    }

    fn credential(&mut self) -> Record {
        let (user, version) = (self.id(), self.random.u8(2..40));
        if self.random.u8(..20) == 0 {
            return Record::keyed(format!("user_{user}/token_{}", self.id()), None);
        }
        let (which, body) = match self.random.u8(..10) {
            0..5 => {
                let (salt, hash) = (self.base64(22), self.base64(43));
                let phc = format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}");
                (
                    "password".to_owned(),
                    format!(r#"{{"kind":"permanent","phc":"{phc}","version":{version}}}"#),
                )
            }
            5..9 => {
                let (digest, expires) = (self.hex(32), self.short_time());
                let kind = format!(r#""kind":"temporary","digest":"{digest}","expiresAt":"{expires}""#);
                ("password".to_owned(), format!(r#"{{{kind},"version":{version}}}"#))
            }
            _ => {
                let scope = self.one_of(&["sftp", "mailbox", "gateway", "agent"]);
                let kind = format!(r#""kind":"token","digest":"{}","scopes":["{scope}"]"#, self.hex(32));
                (format!("token_{}", self.id()), format!(r#"{{{kind},"version":{version}}}"#))
            }
        };
        Record::keyed(format!("user_{user}/{which}"), Some(body.into_bytes()))
    }

    fn reservation(&mut self) -> Record {
        if self.random.u8(..4) == 0 {
            return Record::keyed(format!("claim_{}", self.record_id()), Some(b"{}".to_vec()));
        }
        let body = format!(r#"{{"holder":"user_{}","claim":"claim_{}"}}"#, self.id(), self.record_id());
        Record::keyed(format!("address_{}", self.id()), Some(body.into_bytes()))
    }

    /// Kind of the aggregate, wire name and JSON of an event.
    fn event_data(&mut self) -> (&'static str, String, String) {
        let group =
            |samples: &mut Self| format!(r#"{{"id":"group_{}","name":"{}"}}"#, samples.id(), samples.word(3));
        let (name, body) = match self.random.u8(..100) {
            0..20 => {
                let origin = self.one_of(&["self", "self", "administrator"]);
                let (username, personal) = (self.username(), self.personal());
                let who = format!(r#""username":"{username}","origin":"{origin}""#);
                ("registered", format!(r#"{{{who},"personal":{personal}}}"#))
            }
            20..38 => ("approved", format!(r#"{{"group":{}}}"#, group(self))),
            38..54 => ("password_reset", format!(r#"{{"expiresAt":"{}"}}"#, self.short_time())),
            54..66 => ("password_changed", "{}".to_owned()),
            66..70 => {
                let (old, new) = (self.email(), self.email());
                let change = format!(r#""old":{{"email":"{old}"}},"new":{{"email":"{new}"}}"#);
                ("email_changed", format!(r#"{{"personal":{{{change}}}}}"#))
            }
            70..74 => {
                let change = format!(r#""old":{},"new":{}"#, self.personal(), self.personal());
                ("profile_updated", format!(r#"{{"personal":{{{change}}}}}"#))
            }
            74..77 => {
                let change = format!(r#""old":{},"new":{}"#, group(self), group(self));
                ("group_changed", format!(r#"{{"group":{{{change}}}}}"#))
            }
            77..82 => {
                let what = self.one_of(&["suspended", "rejected"]);
                (what, format!(r#"{{"reason":"{}"}}"#, self.sentence()))
            }
            82..85 => (self.one_of(&["reactivated", "reconsidered", "deleted"]), "{}".to_owned()),
            85..89 => {
                let what = self.one_of(&["mailbox_created", "mailbox_deleted"]);
                (what, format!(r#"{{"mailboxId":"mailbox_{}","name":"{}"}}"#, self.id(), self.word(2)))
            }
            89..93 => {
                let what = self.one_of(&["agent_rule_added", "agent_rule_removed"]);
                (what, format!(r#"{{"rule":{}}}"#, self.rule()))
            }
            93..95 => {
                let (beat, jobs) = (self.random.u8(10..90), self.random.u8(1..200));
                let old = r#""old":{"debug":false,"logFile":"","heartbeatInterval":30,"configInterval":30,"maxJobs":100}"#;
                let new = format!(r#""debug":true,"logFile":"/var/log/ufa.log","heartbeatInterval":{beat}"#);
                let new = format!(r#""new":{{{new},"configInterval":{beat},"maxJobs":{jobs}}}"#);
                ("ufa_config_edited", format!(r#"{{"config":{{{old},{new}}}}}"#))
            }
            95..98 => {
                let (id, name, expires) = (self.id(), self.word(2), self.short_time());
                let token = format!(r#""tokenId":"token_{id}","name":"{name}""#);
                let more = format!(r#""scopes":["sftp","agent"],"expiresAt":"{expires}""#);
                ("auth_token_issued", format!("{{{token},{more}}}"))
            }
            98 => ("role_granted", r#"{"role":"administrator"}"#.to_owned()),
            _ => {
                let body = format!(r#"{{"name":"{}","description":"{}"}}"#, self.word(3), self.sentence());
                return ("group", "muster.group.created".to_owned(), body);
            }
        };
        ("user", format!("muster.user.{name}"), body)
    }

    fn rule(&mut self) -> String {
        let (id, name, interval) = (self.id(), self.word(2), self.random.u16(30..600));
        let head = format!(r#""id":"rule_{id}","name":"{name}","active":true,"pollInterval":{interval}"#);
        if self.random.bool() {
            let pattern = self.word(2);
            let kind = format!(r#""kind":"upload","matchPattern":"./{pattern}/*","regex":false"#);
            format!(r#"{{{head},"subscribers":5,{kind},"uploadFormat":"{{name}}","ackMode":"archive"}}"#)
        } else {
            let mailbox = self.word(2);
            let kind = format!(r#""kind":"download","mailbox":"{mailbox}","deliverPolicy":"all""#);
            format!(r#"{{{head},"subscribers":1,{kind},"downloadPath":"./downloads","maxFiles":20}}"#)
        }
    }

    fn personal(&mut self) -> String {
        let (first, last) = (capital(&self.word(2)), capital(&self.word(3)));
        let mut fields = format!(r#""firstName":"{first}","lastName":"{last}""#);
        if self.random.bool() {
            let phone = self.one_of(&["+49 30 ", "+1 212 ", "+44 20 ", "+33 1 ", "0"]);
            write!(fields, r#","phone":"{phone}{}""#, self.random.u32(100_000..9_999_999)).unwrap();
        }
        format!(r#"{{{fields},"email":"{}"}}"#, self.email())
    }

    fn email(&mut self) -> String {
        let domain = self.one_of(&["example.com", "mail.example.com", "example.org", "example.net"]);
        format!("{}@{domain}", self.username())
    }

    fn username(&mut self) -> String {
        match self.random.u8(..3) {
            0 => self.word(3),
            1 => format!("{}.{}", self.word(2), self.word(3)),
            _ => format!("{}{}", self.word(2), self.random.u16(..)),
        }
    }

    fn client(&mut self) -> Client {
        let agent = (self.random.u8(..10) > 0).then(|| self.random.choice(&self.agents).unwrap().clone());
        let address = if self.random.u8(..4) > 0 {
            self.random.u32(..).to_be_bytes().map(|byte| byte.to_string()).join(".")
        } else {
            format!("2001:db8:{:x}::{:x}", self.random.u16(..), self.random.u16(..))
        };
        Client { address: Some(address), agent }
    }

    fn agent(&mut self) -> String {
        let version = self.random.u8(100..150);
        let system = *self.random.choice(&SYSTEMS).unwrap();
        match self.random.u8(..10) {
            0..5 => format!(
                "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
            ),
            5..7 => format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
            7 => format!(
                "Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.{} Mobile/15E148 Safari/604.1",
                version / 8,
                version % 8
            ),
            _ => format!("{}{}.{}", self.random.choice(&PROGRAMS).unwrap(), version % 30, version % 4),
        }
    }

    fn sentence(&mut self) -> String {
        (0..self.random.usize(2..9)).map(|_| self.word(2)).collect::<Vec<_>>().join(" ")
    }

    fn word(&mut self, syllables: usize) -> String {
        (0..syllables).map(|_| *self.random.choice(&SYLLABLES).unwrap()).collect()
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        self.random.choice(texts).unwrap()
    }

    fn id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid().to_string()
    }

    fn record_id(&mut self) -> Uuid {
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let millis = u64::try_from(self.at / 1_000).unwrap();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn short_time(&mut self) -> String {
        let hours = self.random.i64(1..100);
        let time = Timestamp::from_micros(self.at + hours * 3_600_000_000);
        serde_json::to_value(time).unwrap().as_str().unwrap().to_owned()
    }

    fn hex(&mut self, bytes: usize) -> String {
        hex::encode((0..bytes).map(|_| self.random.u8(..)).collect::<Vec<_>>())
    }

    fn base64(&mut self, length: usize) -> String {
        (0..length).map(|_| self.random.alphanumeric()).collect()
    }
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}
